import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '../model/errors.ts';
import type { AttemptKey, LogSeal } from '../model/result.ts';
import type { RunState } from '../model/run-state.ts';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import type { LogSelection } from './print-logs.ts';
import type { Services, Session } from './session.ts';
import { untilSignal } from './signals.ts';
import { openStreamView } from './view/stream-view.ts';

const pollMs = 200;

/** Prints logs as they grow, until the step or the run has ended or the user has seen enough. */
export async function followLogs(selection: LogSelection, session: Session, services: Services): Promise<ExitCode> {
  const { io, palette, color } = session;
  const write = (text: string): boolean => io.stdout.write(text);
  const view = openStreamView({ write, palette, color, logs: true });
  const left = untilSignal(io);
  const seen = new Map<string, number>();
  try {
    while (!left.signal.aborted) {
      const state = await services.engine.state(selection.runId);
      for (const { seal, ...key } of attemptsOf(state, selection)) {
        const name = `${key.step} ${key.attempt}`;
        const chunk = await readFrom(key, seen.get(name) ?? 0, seal, services);
        seen.set(name, (seen.get(name) ?? 0) + chunk.length);
        view.log(key.step, key.attempt, chunk);
      }
      if (isOver(state, selection)) return exitCodes.succeeded;
      await delay(pollMs, undefined, { signal: left.signal }).catch(() => undefined);
    }
    return exitCodes.interrupted;
  } finally {
    view.close();
    left.close();
  }
}

interface FollowedLog extends AttemptKey {
  readonly seal: LogSeal | undefined;
}

function attemptsOf({ runId, steps }: RunState, { step, attempt }: LogSelection): readonly FollowedLog[] {
  return [...steps].flatMap(([id, { attempts }]) =>
    step !== undefined && step !== id
      ? []
      : attempts
          .filter(({ number }) => attempt === undefined || number === attempt)
          .map(({ number, result }) => ({ runId, step: id, attempt: number, seal: result?.log })),
  );
}

function isOver({ phase, steps }: RunState, { step }: LogSelection): boolean {
  return phase === 'finished' || (step !== undefined && steps.get(step)?.phase === 'settled');
}

async function readFrom(
  key: AttemptKey,
  start: number,
  seal: LogSeal | undefined,
  { logs }: Services,
): Promise<Buffer> {
  try {
    return await buffer(await logs.read(key, { start }, seal));
  } catch (error) {
    // The attempt has begun, its log not yet.
    if (error instanceof SluiceError && error.code === 'ERR_NOT_FOUND') return Buffer.alloc(0);
    throw error;
  }
}
