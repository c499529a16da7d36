import { AttemptEnded } from '../../model/attempt-ended.ts';
import type { Clock } from '../../model/clock.ts';
import { adviceOf, SluiceError } from '../../model/errors.ts';
import { verdictOf } from '../../model/outcome.ts';
import type { Verdict } from '../../model/outcome.ts';
import type { RunStep } from '../../model/plan.ts';
import { collectResults, declaredResults } from '../../workspace/collect-results.ts';
import { prepareWorkspace, workingFolder } from '../../workspace/prepare-workspace.ts';
import type { AttemptContext, AttemptOutcome, AttemptSpec } from '../executor.ts';
import { attemptEnvironment, declaredValues, stepEnvironment } from '../step-environment.ts';
import type { AttemptFolder } from './attempt-folder.ts';
import type { BackendEnvironments } from './backend-environments.ts';
import { commandVerdict } from './command-verdict.ts';
import { findProgram } from './find-program.ts';
import type { ImageToolbox } from './image-tools.ts';
import type { OutputPipes } from './output-pipe.ts';
import { placeOf } from './place.ts';
import { runCommand } from './run-command.ts';
import type { CommandEnd } from './run-command.ts';
import { startServices } from './services/start-services.ts';
import type { RunningServices } from './services/start-services.ts';
import { stopReason, withLoss } from './stop.ts';
import type { Stop } from './stop.ts';

/** What all attempts of an executor share. */
export interface LocalMachine {
  readonly base: Readonly<Record<string, string>>;
  /** Holds downloaded programs. */
  readonly cache: string;
  readonly environments: BackendEnvironments | undefined;
  readonly images: ImageToolbox;
  readonly clock: Clock;
  readonly pipes: OutputPipes;
}

const shellOptions = { sh: ['-e'], bash: ['-eo', 'pipefail'] } as const;

interface Attempt {
  readonly machine: LocalMachine;
  readonly folder: AttemptFolder;
  readonly spec: AttemptSpec;
  readonly context: AttemptContext;
  readonly stop: Stop;
}

/** All that a command needs around it. */
interface Surroundings {
  /** What its programs see before anything is declared. */
  readonly base: Readonly<Record<string, string>>;
  /** Lead it to the environments of its backend. */
  readonly places: Readonly<Record<string, string>>;
  readonly services: RunningServices;
  /** What `prepareWorkspace` answered. */
  readonly commitUntilMs: number;
}

/** One attempt from its empty folder to its outcome; what it started has ended when the promise settles. */
export async function runAttempt(attempt: Attempt): Promise<AttemptOutcome> {
  try {
    const surroundings = await prepareUnlessStopped(attempt);
    const end = await command(attempt, surroundings).finally(() => surroundings.services.stop());
    return await outcomeOf(attempt, end, surroundings);
  } catch (error) {
    if (!(error instanceof AttemptEnded)) throw error;
    return { ...error.verdict, files: [], output: '', caches: {} };
  }
}

/** Whatever goes wrong on the way once the attempt is to be stopped, the wish to stop it is the reason of its end. */
async function prepareUnlessStopped(attempt: Attempt): Promise<Surroundings> {
  try {
    attempt.stop.signal.throwIfAborted();
    return await prepare(attempt);
  } catch (error) {
    const reason = stopReason(attempt.stop);
    throw reason === undefined ? error : new AttemptEnded(reason);
  }
}

/** Workspace and services, side by side; when one fails, the other is taken back. */
async function prepare({ machine, folder, spec, context, stop: { signal } }: Attempt): Promise<Surroundings> {
  const tools = await machine.images.toolsFor(spec.step.image, signal);
  if (tools.note !== undefined) context.note(tools.note);
  const base = attemptEnvironment({ ...machine.base, PATH: tools.path }, folder);
  const places = await placesOf(machine, spec, context, signal);
  const [workspace, services] = await Promise.allSettled([
    prepareWorkspace(spec, folder, context.blobs, signal, spec.step.junit.paths.length > 0),
    startServices(spec.step.services, { folder, cache: machine.cache, env: base, context, signal }),
  ]);
  if (services.status === 'rejected') throw services.reason;
  if (workspace.status === 'fulfilled')
    return { base, places, services: services.value, commitUntilMs: workspace.value };
  await services.value.stop();
  throw workspace.reason;
}

/** What a step that works with the environments of its backend finds them by. Whatever keeps them from coming about is no fault of the step. */
async function placesOf(
  { environments }: LocalMachine,
  { backend, step }: AttemptSpec,
  { conceal }: AttemptContext,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  if (environments === undefined || backend === undefined) return {};
  try {
    const { variables, secrets } = await environments.accessFor(backend, step, signal);
    conceal(secrets);
    return variables;
  } catch (error) {
    if (signal.aborted) throw error;
    const isOthers = error instanceof SluiceError && error.code === 'ERR_CONFLICT';
    throw new AttemptEnded(isOthers ? 'admission_denied' : 'service_failed', adviceOf(error));
  }
}

/** How the command ended, and which service it lost before that. */
interface Ending extends CommandEnd {
  readonly lostService: string | undefined;
}

async function command(
  attempt: Attempt,
  { base, places, services: { addresses, lost } }: Surroundings,
): Promise<Ending> {
  const { machine, folder, spec, context, stop } = attempt;
  const declared = { ...declaredValues(spec, context, addresses), ...places };
  const env = stepEnvironment(base, spec, declared, addresses, folder);
  const end = await runCommand({
    argv: shellCommand(spec.step, folder, env['PATH']),
    cwd: workingFolder(folder.workspace, spec.step.workdir),
    env,
    folder,
    stop: withLoss(stop, lost),
    timeoutMs: spec.step.timeoutMs,
    pipes: machine.pipes,
    clock: machine.clock,
    log: (chunk) => context.log.write(chunk),
    placed: (leader) => context.placed(placeOf(folder, leader)),
  });
  return { ...end, lostService: lost.aborted ? String(lost.reason) : undefined };
}

function shellCommand(step: RunStep, { script }: AttemptFolder, path = ''): readonly string[] {
  const program = findProgram(step.shell, path);
  if (program === undefined)
    throw new AttemptEnded('start_error', `there is no "${step.shell}" on this machine's PATH`);
  return [program, ...shellOptions[step.shell], script];
}

/** A command that a lost service made fail says so; one that succeeded without it did not need it. */
function verdictOfEnding(ending: Ending): Verdict {
  const verdict = commandVerdict(ending);
  const { lostService } = ending;
  const isOwn = ['service_failed', 'exit_code', 'signalled'].includes(verdict.reason ?? '');
  return lostService !== undefined && isOwn ? verdictOf('service_failed', lostService) : verdict;
}

async function outcomeOf(
  { spec, folder, context, stop }: Attempt,
  end: Ending,
  { commitUntilMs }: Surroundings,
): Promise<AttemptOutcome> {
  const verdict = verdictOfEnding(end);
  const succeeded = verdict.outcome === 'succeeded';
  const { results, problem } = await collectResults(
    {
      declared: declaredResults(spec.step, spec.caches),
      folders: folder,
      commitUntilMs,
      blobs: context.blobs,
      maxBytes: context.maxUploadBytes,
      note: context.note,
      signal: stop.hurry,
    },
    succeeded,
  );
  // The reason of a command that failed is the reason of the step.
  if (!succeeded && problem?.message !== undefined) context.note(problem.message);
  return {
    ...(succeeded ? (problem ?? verdict) : verdict),
    ...exitOf(end),
    startedAt: end.startedAt,
    finishedAt: end.finishedAt,
    ...results,
  };
}

function exitOf({ end }: CommandEnd): Pick<AttemptOutcome, 'exitCode' | 'signal'> {
  if (end === undefined) return {};
  return 'code' in end ? { exitCode: end.code } : { signal: end.signal };
}
