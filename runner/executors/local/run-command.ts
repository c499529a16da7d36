import { closeSync } from 'node:fs';
import type { Clock } from '../../model/clock.ts';
import { partMarker, recordLeader } from './attempt-folder.ts';
import type { AttemptFolder } from './attempt-folder.ts';
import { startGated } from './gated-process.ts';
import type { GatedProcess, ProcessEnd } from './gated-process.ts';
import { OutputPump } from './output-pipe.ts';
import type { OutputPipes } from './output-pipe.ts';
import { outOfMemoryKills } from './process-table.ts';
import type { ProcessIdentity } from './process-table.ts';
import { canNarrow, killTree, terminateGroups } from './process-tree.ts';
import { stopReason, whenStopped, withTimeout } from './stop.ts';
import type { EarlyEnd, Stop } from './stop.ts';

export interface CommandRun {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly folder: AttemptFolder;
  readonly timeoutMs: number;
  readonly stop: Stop;
  readonly pipes: OutputPipes;
  readonly clock: Clock;
  readonly log: (chunk: Uint8Array) => Promise<void>;
  /** Called while the command still waits for its go. */
  readonly placed: (leader: ProcessIdentity) => Promise<void>;
}

export interface CommandEnd {
  readonly startedAt: number;
  readonly finishedAt: number;
  /** Undefined when the process could not be ended. */
  readonly end: ProcessEnd | undefined;
  readonly stopped: EarlyEnd | undefined;
  /** The kernel ended processes for want of memory while the command ran. */
  readonly outOfMemory: boolean;
  /** Pids that could not be ended. */
  readonly survivors: readonly number[];
}

/**
 * Runs a command to its end, or to the end of its grace. Its end is the exit of its first process: what that leaves
 * behind is killed, then the log is drained. Rejects when the shell cannot be started, and when `log` or `placed` do.
 */
export async function runCommand(run: CommandRun): Promise<CommandEnd> {
  const pipe = await run.pipes.open();
  const pump = new OutputPump(pipe.reader, run.log);
  const started = performance.now();
  const marker = partMarker(run.folder, 'step');
  const command = await startWith(pipe.writer, marker, run, pump);
  const group = command.identity.pid;
  let survivors: readonly number[] = [];
  let seen;
  try {
    recordLeader(run.folder.root, command.identity);
    await run.placed(command.identity);
    seen = await waitForEnd(command, pump, run);
  } finally {
    const recent = canNarrow(group, performance.now() - started) ? { newerThan: group - 1 } : {};
    survivors = await killTree({ marker, groups: [group], ...recent });
    await pump.finish();
  }
  const end = survivors.includes(group) ? undefined : await command.ended;
  return { ...seen, end, survivors };
}

async function startWith(
  output: number,
  marker: string,
  { argv, cwd, env }: CommandRun,
  pump: OutputPump,
): Promise<GatedProcess> {
  try {
    return await startGated({ argv, cwd, env, marker, output });
  } catch (error) {
    await pump.cut();
    throw error;
  } finally {
    closeSync(output);
  }
}

async function waitForEnd(
  command: GatedProcess,
  pump: OutputPump,
  run: CommandRun,
): Promise<Pick<CommandEnd, 'startedAt' | 'finishedAt' | 'stopped' | 'outOfMemory'>> {
  const killsBefore = outOfMemoryKills();
  const startedAt = run.clock();
  const { stop, clear } = withTimeout(run.stop, run.timeoutMs);
  if (stopReason(stop) === undefined) command.release();
  const logFailed = pump.done.then(() => command.ended);
  const ended = await Promise.race([command.ended, logFailed, whenStopped(stop)]).finally(clear);
  const stopped = ended === undefined ? stopReason(stop) : undefined;
  if (stopped !== undefined) await terminateGroups([command.identity.pid], stop.grace());
  return { startedAt, finishedAt: run.clock(), stopped, outOfMemory: outOfMemoryKills() !== killsBefore };
}
