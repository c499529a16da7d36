import { SluiceError, messageOf } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly text: string;
  readonly hint: string;
}

const busy = 5;
const noAccess: Meaning = {
  code: 'ERR_UNREADABLE',
  text: 'cannot be opened for writing',
  hint: 'Check who owns the file and its folder, or choose another data folder.',
};
const damaged: Meaning = {
  code: 'ERR_CORRUPT',
  text: 'is damaged or no SQLite database',
  hint: 'Restore it from a backup, docs/store.md says how, or choose another data folder.',
};

/** By primary result code, see sqlite.org/rescode.html. */
const meanings: Readonly<Record<number, Meaning>> = {
  3: noAccess,
  [busy]: {
    code: 'ERR_INTERNAL',
    text: 'is locked by another process',
    hint: 'A sluice process may be suspended in the middle of a write; continue or end it.',
  },
  8: noAccess,
  11: damaged,
  13: {
    code: 'ERR_FULL',
    text: 'cannot grow: there is no space left',
    hint: 'Free some disk space, or choose another data folder.',
  },
  14: noAccess,
  26: damaged,
};

/** Another connection holds a lock; the same statement may succeed a moment later. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === busy;
}

/** SQLite's error in our words; any other error as it is. */
export function toStoreError(file: string, error: unknown): unknown {
  const result = resultCode(error);
  if (result === undefined) return error;
  const meaning = meanings[result];
  if (!meaning)
    return new SluiceError('ERR_INTERNAL', `The database ${file} failed: ${messageOf(error)}.`, { cause: error });
  return new SluiceError(meaning.code, `The database ${file} ${meaning.text}.`, { hint: meaning.hint, cause: error });
}

/** The primary code, which is the low byte of the extended one. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}
