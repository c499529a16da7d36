import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../model/clock.ts';
import { messageOf } from '../../model/errors.ts';
import { verdictOf } from '../../model/outcome.ts';
import type { Verdict } from '../../model/outcome.ts';
import type { RunStep } from '../../model/plan.ts';
import { isInside } from '../../workspace/read-inside.ts';
import type { AttemptContext, AttemptOutcome, AttemptSpec, ServiceAddress } from '../executor.ts';
import { AttemptEnded } from './attempt-ended.ts';
import type { AttemptFolder } from './attempt-folder.ts';
import { collect } from './collect.ts';
import { commandVerdict } from './command-verdict.ts';
import { findProgram } from './find-program.ts';
import type { ImageToolbox } from './image-tools.ts';
import type { OutputPipes } from './output-pipe.ts';
import { placeOf } from './place.ts';
import { prepareWorkspace } from './prepare-workspace.ts';
import { runCommand } from './run-command.ts';
import type { CommandEnd } from './run-command.ts';
import { startServices } from './services/start-services.ts';
import type { RunningServices } from './services/start-services.ts';
import { attemptEnvironment, stepEnvironment } from './step-environment.ts';
import { stopReason } from './stop.ts';
import type { Stop } from './stop.ts';

/** What all attempts of an executor share. */
export interface LocalMachine {
  readonly base: Readonly<Record<string, string>>;
  /** Holds downloaded programs. */
  readonly cache: string;
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
  /** What its programs see before anything is declared. */
  readonly base: Readonly<Record<string, string>>;
}

/** One attempt from its empty folder to its outcome; what it started has ended when the promise settles. */
export async function runAttempt(
  machine: LocalMachine,
  folder: AttemptFolder,
  spec: AttemptSpec,
  context: AttemptContext,
  stop: Stop,
): Promise<AttemptOutcome> {
  try {
    const tools = await machine.images.toolsFor(spec.step.image, stop.signal);
    if (tools.note !== undefined) context.note(tools.note);
    const base = attemptEnvironment({ ...machine.base, PATH: tools.path }, folder);
    const attempt = { machine, folder, spec, context, stop, base };
    const services = await prepare(attempt);
    const end = await command(attempt, services.addresses).finally(() => services.stop());
    return await outcomeOf(attempt, end);
  } catch (error) {
    const verdict = endedEarly(error, stop);
    if (verdict === undefined) throw error;
    return { ...verdict, files: [], output: '', caches: {} };
  }
}

function endedEarly(error: unknown, stop: Stop): Verdict | undefined {
  const reason = stopReason(stop);
  if (reason !== undefined && !(error instanceof AttemptEnded)) return verdictOf(reason);
  return error instanceof AttemptEnded ? error.verdict : undefined;
}

/** Workspace and services, side by side; when one fails, the other is taken back. */
async function prepare({ machine, folder, spec, context, stop, base }: Attempt): Promise<RunningServices> {
  const { signal } = stop;
  const [workspace, services] = await Promise.allSettled([
    prepareWorkspace(spec, folder, context.blobs, signal),
    startServices(spec.step.services, { folder, cache: machine.cache, env: base, context, signal }),
  ]);
  if (services.status === 'rejected') throw services.reason;
  if (workspace.status === 'fulfilled') return services.value;
  await services.value.stop();
  throw workspace.reason;
}

async function command(attempt: Attempt, services: Readonly<Record<string, ServiceAddress>>): Promise<CommandEnd> {
  const { machine, folder, spec, context, stop } = attempt;
  const env = stepEnvironment(attempt.base, spec, declaredValues(spec, context, services), services, folder);
  return runCommand({
    argv: shellCommand(spec.step, folder, env['PATH']),
    cwd: workingFolder(folder, spec.step),
    env,
    folder,
    stop,
    timeoutMs: spec.step.timeoutMs,
    pipes: machine.pipes,
    clock: machine.clock,
    log: (chunk) => context.log.write(chunk),
    placed: (leader) => context.placed(placeOf(folder, leader)),
  });
}

function declaredValues(
  spec: AttemptSpec,
  context: AttemptContext,
  services: Readonly<Record<string, ServiceAddress>>,
): Readonly<Record<string, string>> {
  try {
    return Object.fromEntries(
      Object.entries(spec.env).map(([name, template]) => [name, context.render(template, services)]),
    );
  } catch (error) {
    throw new AttemptEnded('expression_error', messageOf(error));
  }
}

function workingFolder({ workspace }: AttemptFolder, { workdir }: RunStep): string {
  const path = join(workspace, workdir);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new AttemptEnded('start_error', `the workspace has no folder "${workdir}" (workdir)`);
  }
  if (!isInside(realpathSync(workspace), realpathSync(path))) {
    throw new AttemptEnded('unsafe_path', `workdir "${workdir}" leaves the workspace`);
  }
  return path;
}

function shellCommand(step: RunStep, { script }: AttemptFolder, path = ''): readonly string[] {
  const program = findProgram(step.shell, path);
  if (program === undefined)
    throw new AttemptEnded('start_error', `there is no "${step.shell}" on this machine's PATH`);
  return [program, ...shellOptions[step.shell], script];
}

async function outcomeOf({ spec, folder, context }: Attempt, end: CommandEnd): Promise<AttemptOutcome> {
  const verdict = commandVerdict(end);
  const collected = await collect(spec, folder, context, verdict.outcome === 'succeeded');
  return {
    ...(verdict.outcome === 'succeeded' && collected.problem !== undefined ? collected.problem : verdict),
    ...exitOf(end),
    startedAt: end.startedAt,
    finishedAt: end.finishedAt,
    ...collected.results,
  };
}

function exitOf({ end }: CommandEnd): Pick<AttemptOutcome, 'exitCode' | 'signal'> {
  if (end === undefined) return {};
  return 'code' in end ? { exitCode: end.code } : { signal: end.signal };
}
