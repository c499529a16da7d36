import { reasons } from '../../model/outcome.ts';
import type { Reason } from '../../model/outcome.ts';
import type { AgentState, Collected, CommandWord, Wish, WishQuestion } from '../../agent/protocol.ts';
import type { ArtifactEntry } from '../../model/result.ts';
import { SluiceError } from '../../model/errors.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What an agent says, checked field by field: its token proves which pod speaks, and a step that got hold of it must not get
 * further than its own results. ERR_USAGE for everything that is not of the protocol.
 */
export function readWishQuestion(value: unknown): WishQuestion {
  const { state, obeyed } = fieldsOf(value);
  return {
    state: readAgentState(state),
    obeyed: oneOf(obeyed, ['wait', 'run', 'stop', 'collect', 'resend', 'leave'] satisfies Wish['do'][]),
  };
}

export function readAgentState(value: unknown): AgentState {
  const fields = fieldsOf(value);
  const phase = oneOf(fields['phase'], ['waiting', 'refused', 'running', 'ended', 'collected']);
  switch (phase) {
    case 'waiting':
      return { phase };
    case 'refused':
      return { phase, ...readFault(fields), notes: listOf(fields['notes'], text) };
    case 'running':
      return { phase, startedAt: count(fields['startedAt']) };
    case 'ended':
      return { phase, ...readWord(fields) };
    case 'collected':
      return { phase, ...readWord(fields), results: readResults(fieldsOf(fields['results'])) };
  }
}

function readWord({ startedAt, finishedAt, exitCode }: Fields): CommandWord {
  return {
    startedAt: count(startedAt),
    finishedAt: count(finishedAt),
    ...(exitCode !== undefined && { exitCode: count(exitCode) }),
  };
}

function readResults({ files, output, handover, caches, problem, notes, log }: Fields): Collected {
  const { bytes, sha256, complete } = fieldsOf(log);
  return {
    files: listOf(files, readFile),
    output: text(output),
    ...(handover !== undefined && { handover: digest(handover) }),
    caches: Object.fromEntries(Object.entries(fieldsOf(caches)).map(([key, blob]) => [key, digest(blob)])),
    ...(problem !== undefined && { problem: readFault(fieldsOf(problem)) }),
    notes: listOf(notes, text),
    log: { bytes: count(bytes), sha256: digest(sha256), complete: complete === true },
  };
}

function readFile(value: unknown): ArtifactEntry {
  const { kind, path, sha256, bytes, mode } = fieldsOf(value);
  const own = { path: insidePath(path), sha256: digest(sha256), bytes: count(bytes), mode: count(mode) & 0o777 };
  return { kind: oneOf(kind, ['artifact', 'junit'] satisfies ArtifactEntry['kind'][]), ...own };
}

function readFault({ reason, message }: Fields): { readonly reason: Reason; readonly message: string } {
  if (typeof reason !== 'string' || !Object.hasOwn(reasons, reason)) throw refused('a reason that there is none of');
  return { reason: reason as Reason, message: text(message) };
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused('no object');
  return value as Fields;
}

function listOf<Item>(value: unknown, read: (item: unknown) => Item): readonly Item[] {
  if (!Array.isArray(value)) throw refused('no list');
  return value.map(read);
}

function oneOf<Word extends string>(value: unknown, words: readonly Word[]): Word {
  const found = words.find((word) => word === value);
  if (found === undefined) throw refused('an unknown word');
  return found;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw refused('no text');
  return value;
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw refused('no number');
  return value;
}

function digest(value: unknown): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw refused('no digest');
  return value;
}

/** People download files by these names. */
function insidePath(value: unknown): string {
  const path = text(value);
  if (path === '' || path.startsWith('/') || path.split('/').includes('..')) throw refused('a path that leads outside');
  return path;
}

function refused(what: string): SluiceError {
  return new SluiceError('ERR_USAGE', `An agent said ${what}.`);
}
