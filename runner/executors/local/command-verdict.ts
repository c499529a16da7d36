import { verdictOf } from '../../model/outcome.ts';
import type { Verdict } from '../../model/outcome.ts';
import { exitCodeInWords } from '../exit-code.ts';
import type { CommandEnd } from './run-command.ts';

/** 128 + 9: a shell's word for a command of its own that was killed. */
const killedExitCode = 137;

/** What the end of a command says by itself. Only exit code 0, seen by us, is a success. */
export function commandVerdict({
  end,
  stopped,
  outOfMemory,
  survivors,
}: Omit<CommandEnd, 'startedAt' | 'finishedAt'>): Verdict {
  if (survivors.length > 0) {
    return verdictOf('internal_error', `processes ${survivors.join(', ')} could not be ended`);
  }
  if (stopped !== undefined) return verdictOf(stopped);
  if (end === undefined) return verdictOf('internal_error', 'the end of the command was not seen');
  if ('signal' in end) {
    return outOfMemory && end.signal === 'SIGKILL'
      ? verdictOf('oom', 'killed while the machine was out of memory')
      : verdictOf('signalled', end.signal);
  }
  if (end.code === 0) return { outcome: 'succeeded' };
  if (end.code === killedExitCode && outOfMemory) {
    return verdictOf('oom', 'a process of the step was killed while the machine was out of memory');
  }
  return verdictOf('exit_code', exitCodeInWords(end.code));
}
