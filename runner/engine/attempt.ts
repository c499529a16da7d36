import type { AttemptContext, AttemptOutcome, AttemptSpec, ServiceAddress, StopReason } from '../executors/executor.ts';
import { renderTemplate } from '../expressions/expression.ts';
import { messageOf, SluiceError } from '../model/errors.ts';
import type { Json } from '../model/json.ts';
import type { PlanStep, RunStep, StepId, Template } from '../model/plan.ts';
import type { AttemptRecord, StepWord } from '../model/run-event.ts';
import type { AttemptKey } from '../model/result.ts';
import { trustScope } from '../model/run-request.ts';
import type { RunState } from '../model/run-state.ts';
import { scopeOf } from '../scheduler/scope.ts';
import type { LogWriter } from '../results/log/logs.ts';
import { maskText } from '../results/log/masker.ts';
import type { Lease } from '../store/store.ts';
import type { EngineDependencies } from './dependencies.ts';
import { faultOf } from './fault-of.ts';
import { recordResults } from './record-results.ts';

export interface AttemptTask {
  /** Under which the results are stored. */
  readonly lease: Lease;
  readonly state: RunState;
  readonly step: RunStep;
  readonly attempt: number;
  readonly observer: (chunk: Uint8Array) => void;
  readonly placed: (place: Readonly<Record<string, Json>>) => Promise<void>;
  readonly waiting: AttemptContext['waiting'];
  /** The command says that it succeeded; what it gives, before that is proven. */
  readonly reported: (word: StepWord) => Promise<void>;
  /** Aborted with a StopReason. */
  readonly signal: AbortSignal;
  /** Set when the attempt was under way in a process that is gone. */
  readonly lost?: { readonly place: Readonly<Record<string, Json>> | undefined };
}

/** Runs one attempt and gathers the proof of how it ended. Never rejects. */
export async function runAttempt(engine: EngineDependencies, task: AttemptTask): Promise<AttemptRecord> {
  const secrets = secretsOf(engine, task.step);
  let values: readonly string[] = Object.values(secrets);
  const key: AttemptKey = { runId: task.state.runId, step: task.step.id, attempt: task.attempt };
  const notes: string[] = [];
  const limit = new AbortController();
  let log: LogWriter | undefined;
  try {
    log = await engine.logs.open(key, {
      secrets: values,
      maxBytes: engine.maxLogBytes,
      resumes: engine.executor.resumes,
      observer: task.observer,
      onLimit: () => limit.abort('log_limit' satisfies StopReason),
    });
    const spec = await specOf(engine, task, secrets);
    const signal = AbortSignal.any([task.signal, limit.signal]);
    const opened = log;
    const conceal = (more: readonly string[]): void => {
      values = [...new Set([...values, ...more])];
      opened.conceal(values);
    };
    const reported = (outcome: AttemptOutcome): Promise<void> => report(engine, task, outcome, values);
    const surroundings = { log, signal, note: (text: string) => notes.push(text), conceal, reported };
    const outcome = await execute(engine, task, spec, surroundings);
    const seal = await log.seal(outcome.logComplete ?? true);
    const cacheScope = trustScope(task.state.request);
    const results = await recordResults(
      engine,
      task.lease,
      key,
      { step: task.step, cacheScope, secrets: values },
      outcome,
    );
    return masked({ ...results, log: seal, notes: [...notes, ...results.notes] }, values);
  } catch (error) {
    const verdict = faultOf(error);
    if (verdict.reason === 'internal_error') {
      engine.logger.error('attempt could not be carried out', { ...key, error: messageOf(error) });
    }
    const seal = await log?.seal(false).catch(() => undefined);
    return masked({ ...verdict, ...(seal && { log: seal }), artifacts: 0, outputs: {}, notes }, values);
  }
}

type Surroundings = Pick<AttemptContext, 'log' | 'note' | 'signal' | 'conceal' | 'reported'>;

function execute(
  engine: EngineDependencies,
  task: AttemptTask,
  spec: AttemptSpec,
  surroundings: Surroundings,
): Promise<AttemptOutcome> {
  const scope = scopeOf(task.state, task.step);
  const context: AttemptContext = {
    ...surroundings,
    blobs: engine.blobs,
    maxLogBytes: engine.maxLogBytes,
    maxUploadBytes: engine.maxUploadBytes,
    placed: task.placed,
    waiting: task.waiting,
    render: (template: Template, services) => {
      const rendered = renderTemplate(template, { ...scope, services: addressesOf(services) });
      if (rendered.ok) return rendered.value;
      throw new SluiceError('ERR_USAGE', rendered.message);
    },
  };
  return task.lost ? engine.executor.recover(spec, task.lost.place, context) : engine.executor.execute(spec, context);
}

/** Test reports are judged with the proof; a step without any gives its word at once. Its files are recorded with the proof. */
async function report(
  engine: EngineDependencies,
  { lease, state, step, attempt, reported }: AttemptTask,
  outcome: AttemptOutcome,
  secrets: readonly string[],
): Promise<void> {
  if (step.junit.paths.length > 0) return;
  const key = { runId: state.runId, step: step.id, attempt };
  const cacheScope = trustScope(state.request);
  const results = await recordResults(
    engine,
    lease,
    key,
    { step, cacheScope, secrets },
    { ...outcome, files: [], caches: {} },
  );
  if (results.outcome !== 'succeeded') return;
  const { outputs, handover } = masked(results, secrets);
  await reported({ outputs, ...(handover !== undefined && { handover }) });
}

function addressesOf(services: Readonly<Record<string, ServiceAddress>>): Json {
  return Object.fromEntries(
    Object.entries(services).map(([name, { host, port, url }]) => [name, { host, port: String(port), url }]),
  );
}

async function specOf(
  engine: EngineDependencies,
  { state, step, attempt }: AttemptTask,
  secrets: Readonly<Record<string, string>>,
): Promise<AttemptSpec> {
  const needed = new Set(neededBy(state, step));
  const handovers = [...needed].flatMap((id) => handoverOf(state, id));
  const caches = await Promise.all(
    step.caches.map(async ({ key, paths }) => {
      const blob = await engine.store.cache(trustScope(state.request), key);
      return { key, paths, ...(blob === undefined ? {} : { blob }) };
    }),
  );
  return {
    runId: state.runId,
    step,
    attempt,
    ...backendOf(state),
    env: step.env,
    secrets,
    layers: [{ from: '', blob: state.snapshot }, ...handovers],
    caches,
  };
}

/** The steps whose files it gets: those that it needs, and in a workflow also those that the step which uses it needs. */
function neededBy(state: RunState, { needs, inputsFrom }: Pick<PlanStep, 'needs' | 'inputsFrom'>): readonly StepId[] {
  const own = needs.flatMap((need) => need.steps);
  const start = state.plan.steps.find(({ id }) => id === inputsFrom);
  return start === undefined ? own : [...neededBy(state, start), ...own];
}

/** Where the steps of a run run: undefined for one that deploys nothing. */
export function backendOf({ plan, request }: RunState): Pick<AttemptSpec, 'backend'> {
  return plan.backend === undefined ? {} : { backend: { backend: plan.backend, repository: request.repository } };
}

function handoverOf(state: RunState, from: PlanStep['id']): AttemptSpec['layers'] {
  const step = state.steps.get(from);
  const blob = step?.handover ?? step?.word?.handover;
  return blob === undefined ? [] : [{ from, blob }];
}

function secretsOf(engine: EngineDependencies, step: RunStep): Readonly<Record<string, string>> {
  return Object.fromEntries(step.secrets.map((name) => [name, engine.secret(name) ?? '']));
}

/** What people read of an attempt passes the masker too: a message may quote what the command printed. */
function masked(record: AttemptRecord, secrets: readonly string[]): AttemptRecord {
  const clean = (text: string): string => maskText(secrets, text);
  return {
    ...record,
    ...(record.message === undefined ? {} : { message: clean(record.message) }),
    notes: record.notes.map(clean),
    outputs: Object.fromEntries(Object.entries(record.outputs).map(([name, value]) => [name, clean(value)])),
  };
}
