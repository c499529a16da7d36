import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SluiceError } from '../model/errors.ts';
import { canonicalJson } from '../model/json.ts';
import type { Json } from '../model/json.ts';
import type { Plan, StepId } from '../model/plan.ts';
import type { CarriedStep, StoredEvent } from '../model/run-event.ts';
import type { RunRequest } from '../model/run-request.ts';
import type { RunState } from '../model/run-state.ts';
import { replay } from '../scheduler/evolve.ts';
import type { Lease } from '../store/store.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { Engine, PreparedRun, RerunScope, RunObserver } from './engine.ts';
import { Journal } from './journal.ts';
import { prepareRun } from './prepare-run.ts';
import { endLostRun } from './recover.ts';
import { carriedSteps } from './rerun.ts';
import { RunDriver } from './run-driver.ts';

/** The engine over its ports. It owns none of them: who made them closes them. */
export function createEngine(engine: EngineDependencies): Engine {
  /** Leases of runs that this process created and has not driven yet. */
  const leases = new Map<string, Lease>();

  const create = async (run: NewRunFacts): Promise<string> => {
    const { runId, lease } = await createRun(engine, run);
    leases.set(runId, lease);
    return runId;
  };

  const leaseOf = async (runId: string): Promise<Lease> => {
    const lease = leases.get(runId) ?? (await engine.store.claim(runId, engine.owner));
    if (!lease) throw new SluiceError('ERR_CONFLICT', `Run ${runId} is driven by another process.`);
    leases.delete(runId);
    return lease;
  };

  return {
    prepare: (options) => {
      engine.executor.anticipate?.();
      return prepareRun(engine, options);
    },
    start: (prepared) => storeSnapshot(engine, prepared).then(create),
    rerun: async (runId, scope) => create(await repetitionOf(engine, runId, scope)),
    state: (runId) => readState(engine, runId),
    drive: async (runId, observer, signal) => {
      refuseOtherExecutor(engine, await readState(engine, runId));
      return driveRun(engine, await leaseOf(runId), observer, signal);
    },
    recover: () => recoverRuns(engine),
    cancel: async (runId, by) => {
      const state = await readState(engine, runId);
      if (state.phase === 'finished')
        throw new SluiceError('ERR_USAGE', `Run ${runId} has already ended: ${state.verdict?.outcome ?? 'unknown'}.`);
      await engine.store.request(runId, { type: 'cancel-requested', at: engine.clock(), by, reason: 'cancelled' });
    },
    approve: async (runId, step, { approved, by, comment }) => {
      refuseUnlessAsked(await readState(engine, runId), step);
      await engine.store.request(runId, { type: 'approval-given', at: engine.clock(), step, approved, by, comment });
    },
  };
}

interface NewRunFacts {
  readonly request: RunRequest;
  readonly plan: Plan;
  readonly snapshot: string;
  readonly carried: Readonly<Record<StepId, CarriedStep>>;
}

async function storeSnapshot(engine: EngineDependencies, { request, plan, source }: PreparedRun): Promise<NewRunFacts> {
  const { sha256 } = await engine.blobs.put(source.tar());
  return { request, plan, snapshot: sha256, carried: {} };
}

async function repetitionOf(engine: EngineDependencies, runId: string, scope: RerunScope): Promise<NewRunFacts> {
  const state = await readState(engine, runId);
  const { request, plan, snapshot } = state;
  return { request: { ...request, rerunOf: runId }, plan, snapshot, carried: carriedSteps(state, scope) };
}

async function createRun(engine: EngineDependencies, { request, plan, snapshot, carried }: NewRunFacts) {
  const at = engine.clock();
  const runId = newRunId(at);
  const { sha256 } = await engine.blobs.put(
    Readable.from([canonicalJson(plan as unknown as Json)], { objectMode: false }),
  );
  const { branch, commit, event } = request.trigger;
  const row = {
    runId,
    repository: request.repository,
    pipeline: plan.pipeline,
    branch,
    commit,
    event,
    createdAt: at,
    group: plan.concurrency?.group ?? '',
  };
  const created = {
    type: 'run-created',
    at,
    runId,
    request,
    plan: sha256,
    snapshot,
    executor: engine.executor.name,
    carried,
  } as const;
  return { runId, lease: await engine.store.createRun({ row, event: created }, engine.owner) };
}

/** Sorts by time; short enough to type, random enough not to be guessed at or to collide. */
function newRunId(at: number): string {
  return `${at.toString(36)}-${randomBytes(4).readUInt32BE().toString(36).padStart(7, '0')}`;
}

async function readPlan(engine: EngineDependencies, first: StoredEvent | undefined): Promise<Plan> {
  if (first?.type !== 'run-created')
    throw new SluiceError('ERR_CORRUPT', 'A run must begin with the event run-created.');
  // The blob store has checked the digest, so these are the bytes that the compiler wrote.
  return JSON.parse(await text(await engine.blobs.open(first.plan))) as Plan;
}

async function readState(engine: EngineDependencies, runId: string): Promise<RunState> {
  const events = await engine.store.events(runId);
  return replay(await readPlan(engine, events[0]), events);
}

async function openJournal(engine: EngineDependencies, lease: Lease, observer: RunObserver['event']): Promise<Journal> {
  const [first] = await engine.store.events(lease.runId);
  return Journal.open(engine.store, lease, await readPlan(engine, first), observer);
}

async function driveRun(
  engine: EngineDependencies,
  lease: Lease,
  observer: RunObserver,
  signal: AbortSignal,
): Promise<RunState> {
  const journal = await openJournal(engine, lease, (state, event) => observer.event(state, event));
  return new RunDriver(engine, journal, observer, () => recoverRuns(engine)).drive(signal);
}

/** Attempts elsewhere outlive the process that drove them: such a run waits for one that goes on with it. */
async function endsWithItsProcess({ store, executor }: EngineDependencies, runId: string): Promise<boolean> {
  const [first] = await store.events(runId);
  return !executor.resumes && first?.type === 'run-created' && first.executor === executor.name;
}

async function recoverRuns(engine: EngineDependencies): Promise<readonly string[]> {
  const ended: string[] = [];
  for (const { runId } of await engine.store.abandoned()) {
    if (!(await endsWithItsProcess(engine, runId))) continue;
    const lease = await engine.store.claim(runId, engine.owner);
    // Somebody else was quicker.
    if (!lease) continue;
    await endLostRun(engine, await openJournal(engine, lease, () => undefined));
    ended.push(runId);
  }
  return ended;
}

function refuseUnlessAsked(state: RunState, step: StepId): void {
  if (state.steps.get(step)?.phase === 'awaiting-approval') return;
  const asked = [...state.steps].filter(([, { phase }]) => phase === 'awaiting-approval').map(([id]) => id);
  const hint =
    asked.length > 0 ? `Waiting for approval: ${asked.join(', ')}.` : 'No step of this run waits for an approval.';
  throw new SluiceError('ERR_USAGE', `Step "${step}" of run ${state.runId} does not wait for an approval.`, { hint });
}

/** What an attempt left behind is known to the executor alone that began it. */
function refuseOtherExecutor({ executor }: EngineDependencies, { runId, executor: name }: RunState): void {
  if (name === executor.name) return;
  throw new SluiceError('ERR_USAGE', `Run ${runId} was begun by the ${name} executor, not by ${executor.name}.`, {
    hint: `Add --executor ${name}.`,
  });
}
