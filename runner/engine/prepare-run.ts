import type { Executor } from '../executors/executor.ts';
import { isSchedule } from '../language/check-triggers.ts';
import { compilePipeline } from '../language/compile-pipeline.ts';
import { certainlySkipped } from '../language/explain-plan.ts';
import { missingWorkflows } from '../language/missing-workflows.ts';
import { parsePipelineFile } from '../language/parse-file.ts';
import type { ParsedFile } from '../language/parse-file.ts';
import type { PipelineFile } from '../language/pipeline-file.generated.ts';
import type { SourceText } from '../language/positioned.ts';
import type { ProblemCode } from '../language/problem-codes.ts';
import { problem } from '../language/problem.ts';
import type { WorkflowTexts } from '../language/workflows.ts';
import { operations } from '../model/operations.ts';
import type { Capability, Plan, RunStep } from '../model/plan.ts';
import type { Checked, Location, Problem } from '../model/problem.ts';
import { isUntrusted } from '../model/run-request.ts';
import type { RunRequest, TriggerEvent } from '../model/run-request.ts';
import { checkSecret } from '../results/log/masker.ts';
import type { Source } from '../sources/source.ts';
import type { Schedule } from '../store/watch.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { PreparedRun, PrepareOptions } from './engine.ts';

/** Far more than the language takes, so that it is the language that says how large a file is. */
const maxFileBytes = 4 * 1024 * 1024;

/** Opens the commit, compiles its pipeline, and asks whether this executor can run it with the secrets at hand. */
export async function prepareRun(engine: EngineDependencies, options: PrepareOptions): Promise<Checked<PreparedRun>> {
  const source = await engine.sources.open(options.location, options.commit);
  const { repository, dirty } = source;
  const request: RunRequest = { repository, trigger: triggerOf(source, options), file: options.file, dirty };
  const file = await readFile(source, request);
  return compileRun(engine, source, request, file, { onlyToLook: options.onlyToLook === true });
}

/** The pipeline file of a request, checked for itself. */
export async function readFile(source: Source, request: RunRequest): Promise<ParsedFile<PipelineFile>> {
  const text = request.inline ?? (await source.read(request.file, maxFileBytes));
  return text === undefined ? refused(noFile(request.file)) : parsePipelineFile(text, request.file);
}

export async function readSchedules(
  engine: Pick<EngineDependencies, 'sources'>,
  location: string,
  commit: string,
  path: string,
): Promise<readonly Schedule[]> {
  const text = await (await engine.sources.open(location, commit)).read(path, maxFileBytes);
  const file = text === undefined ? undefined : parsePipelineFile(text, path);
  const on = file?.ok === true ? file.value.value.on : undefined;
  const sound = (on?.schedule ?? []).filter((schedule) => isSchedule(schedule));
  return sound.map(({ cron, timezone = 'UTC' }) => ({ cron, timezone }));
}

export async function compileRun(
  engine: EngineDependencies,
  source: Source,
  request: RunRequest,
  file: ParsedFile<PipelineFile>,
  { onlyToLook } = { onlyToLook: false },
): Promise<Checked<PreparedRun>> {
  const { trigger } = request;
  const workflows = await readWorkflows(source, file, engine.gates);
  const plan = compilePipeline({ file, trigger, files: source.files, workflows });
  if (!plan.ok) return plan;
  if (!file.ok) return file;
  const problems = [
    ...(onlyToLook ? [] : secretProblems(engine, request, plan.value, file.value)),
    ...trustProblems(request, plan.value, file.value),
    ...promotionProblems(plan.value, file.value),
    ...abilityProblems(engine.executor, plan.value, file.value),
  ];
  return problems.length > 0 ? refused(...problems) : { ok: true, value: { request, source, plan: plan.value } };
}

function triggerOf({ ref, branch, tag, commit }: Source, { event, actor }: PrepareOptions): TriggerEvent {
  return { event, ref, branch, tag, commit, actor };
}

/** A workflow may use others, so each round of reading can ask for more. */
async function readWorkflows(
  source: Source,
  file: ParsedFile<PipelineFile>,
  gates: ReadonlyMap<string, string>,
): Promise<WorkflowTexts> {
  const files = new Map<string, string | undefined>();
  for (;;) {
    const missing = missingWorkflows(file, { gates, files });
    if (missing.length === 0) return { gates, files };
    const texts = await Promise.all(missing.map((path) => source.read(path, maxFileBytes)));
    for (const [index, path] of missing.entries()) files.set(path, texts[index]);
  }
}

function secretProblems(
  engine: EngineDependencies,
  { trigger }: RunRequest,
  plan: Plan,
  file: SourceText,
): readonly Problem[] {
  return wantedSteps(plan).flatMap((step) =>
    step.secrets.flatMap((name) => {
      if (isUntrusted(trigger)) return [untrusted(file, step, name)];
      const value = engine.secret(name);
      if (value === undefined) {
        const hint = `Set SLUICE_SECRET_${name}, or put ${name}=… into a file for --secrets-file.`;
        return [at(file, step.location, 'secret-missing', `Step \`${step.id}\` needs the secret \`${name}\`.`, hint)];
      }
      const weak = checkSecret(name, value);
      return weak === undefined ? [] : [at(file, step.location, 'secret-unsafe', weak, 'Choose a longer value.')];
    }),
  );
}

const strangers = 'a pull request from a fork, or of somebody who may not write here,';

/** Whoever may fork a repository may write what its steps do (trust.md, T-01). */
function untrusted(file: SourceText, step: RunStep, name: string): Problem {
  const message = `Step \`${step.id}\` needs the secret \`${name}\`, and ${strangers} gets none.`;
  return at(file, step.location, 'secret-untrusted', message, 'Leave the step out there with an `if` on `event`.');
}

/** What runs in the namespace of a backend is beside its production (trust.md, T-01). */
function trustProblems({ trigger }: RunRequest, plan: Plan, file: SourceText): readonly Problem[] {
  if (!isUntrusted(trigger)) return [];
  const wanted = wantedSteps(plan).filter((step) => step.requires.includes('environments'));
  return wanted.map((step) => {
    const message = `Step \`${step.id}\` works with the environments of a backend, and ${strangers} gets none.`;
    const hint = 'Leave the step out there with an `if` on `event`.';
    return at(file, step.location, 'environment-untrusted', message, hint);
  });
}

/** Production takes what was tested on the way to it (R003-26); the operations refuse it too. */
function promotionProblems(plan: Plan, file: SourceText): readonly Problem[] {
  const preview = plan.backend?.preview;
  if (preview === undefined) return [];
  const first = wantedSteps(plan).find(({ operation }) => operation && operations[operation].account === 'promote');
  if (first === undefined) return [];
  const message = `Step \`${first.id}\` would promote \`${preview.environment}\`, the preview of \`${preview.branch}\`.`;
  const hint = "Leave the step out there: `if: branch == 'main'`.";
  return [at(file, first.location, 'preview-promoted', message, hint)];
}

function abilityProblems(executor: Executor, plan: Plan, file: SourceText): readonly Problem[] {
  return runSteps(plan).flatMap((step) => {
    const reason = missingAbility(executor, step) ?? executor.unsupportedReason(step);
    const hint = remedyOf(executor, step) ?? `Run it with an executor that can, or take \`${step.name}\` out.`;
    return reason === undefined ? [] : [at(file, step.location, 'step-unsupported', reason, hint)];
  });
}

/** Those that may run: of the others nothing is asked. */
function wantedSteps(plan: Plan): readonly RunStep[] {
  const skipped = certainlySkipped(plan);
  return runSteps(plan).filter(({ id }) => !skipped.has(id));
}

const abilities: Readonly<Record<Capability, string>> = {
  services: 'services beside a step',
  environments: 'environments with an app and a database to deploy to',
  images: 'container images',
  containerfiles: 'a place that Containerfiles are built in',
};

/** What is often only not configured. */
function remedyOf({ offers }: Executor, { requires }: RunStep): string | undefined {
  if (!requires.includes('containerfiles') || offers.has('containerfiles')) return undefined;
  return 'On a cluster set SLUICE_BUILDS=baseline (docs/backends.md, "Containerfiles"); elsewhere give the service `start` and `image` in place of `containerfile`.';
}

function missingAbility(executor: Executor, step: RunStep): string | undefined {
  const missing = step.requires.filter((capability) => !executor.offers.has(capability));
  if (missing.length === 0) return undefined;
  return `Step \`${step.id}\` needs ${missing.map((name) => abilities[name]).join(' and ')}; the ${executor.name} executor has none.`;
}

function runSteps(plan: Plan): readonly RunStep[] {
  return plan.steps.filter((step) => step.kind === 'run');
}

function noFile(file: string): Problem {
  const hint = 'Write one with `sluice init`, or name another with --file.';
  return problem(
    { file, lines: [] },
    { file, line: 1, column: 1 },
    'file-missing',
    `There is no \`${file}\` in this commit.`,
    hint,
  );
}

/** The frame is known only for the pipeline file itself; a place in a workflow file is named without it. */
function at(file: SourceText, location: Location, code: ProblemCode, message: string, hint: string): Problem {
  return problem(
    location.file === file.file ? file : { file: location.file, lines: [] },
    location,
    code,
    message,
    hint,
  );
}

function refused(...problems: readonly Problem[]): { readonly ok: false; readonly problems: readonly Problem[] } {
  return { ok: false, problems };
}
