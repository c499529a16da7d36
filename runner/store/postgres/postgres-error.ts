import { SluiceError, messageOf } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly text: string;
  readonly hint: string;
  /**
   * `soon`: the same may succeed a moment later, even for somebody who has just come. `later`: it may for somebody whom the
   * database has served before, who therefore waits; a newcomer is more likely to have the wrong address.
   */
  readonly passes?: 'soon' | 'later';
  /** The connection is of no use any more. */
  readonly spoilt?: true;
}

const clash: Meaning = {
  code: 'ERR_INTERNAL',
  text: 'is busy: a lock did not come free in time',
  hint: 'pg_stat_activity shows who holds it.',
  passes: 'soon',
};
const gone: Meaning = {
  code: 'ERR_UNREADABLE',
  text: 'has cut the connection',
  hint: 'See the log of the server.',
  passes: 'soon',
  spoilt: true,
};
const unreachable: Meaning = {
  code: 'ERR_UNREADABLE',
  text: 'cannot be reached',
  hint: 'Check the address in SLUICE_DATABASE_URL, and that the server runs and is reachable from here.',
  passes: 'later',
  spoilt: true,
};
const silent: Meaning = { ...unreachable, text: 'does not answer' };
const refused: Meaning = {
  code: 'ERR_UNREADABLE',
  text: 'refuses this user or password',
  hint: 'Check SLUICE_DATABASE_URL and SLUICE_DATABASE_PASSWORD_FILE, and pg_hba.conf of the server.',
};
const damaged: Meaning = {
  code: 'ERR_CORRUPT',
  text: 'is damaged',
  hint: 'See the log of the server; docs/store.md says how to restore a backup.',
};

/** By SQLSTATE, see postgresql.org/docs/current/errcodes-appendix.html. */
const byState: Readonly<Record<string, Meaning>> = {
  '22021': {
    code: 'ERR_USAGE',
    text: 'cannot hold the character NUL in a text',
    hint: 'Look for it in names of branches, groups and caches.',
  },
  '25006': {
    code: 'ERR_UNREADABLE',
    text: 'takes no writes: it is a standby or set to read only',
    hint: 'Point SLUICE_DATABASE_URL at the primary.',
    passes: 'later',
    spoilt: true,
  },
  '25P03': gone,
  '28000': refused,
  '28P01': refused,
  '3D000': {
    code: 'ERR_UNREADABLE',
    text: 'does not exist on this server',
    hint: 'Make it with createdb, or correct SLUICE_DATABASE_URL.',
  },
  '40001': clash,
  '40P01': clash,
  '42501': {
    code: 'ERR_UNREADABLE',
    text: 'does not let this user do that',
    hint: 'The user has to own the database or its schema: GRANT ALL ON SCHEMA public TO the user.',
  },
  '53100': { code: 'ERR_FULL', text: 'cannot grow: its disk is full', hint: 'Free some space on the server.' },
  '53200': { code: 'ERR_FULL', text: 'is out of memory', hint: 'See the log of the server.', passes: 'soon' },
  '53300': {
    code: 'ERR_FULL',
    text: 'has no connection left',
    hint: 'Raise max_connections, or end clients that need none; a runner takes up to eleven.',
    passes: 'soon',
    spoilt: true,
  },
  '55P03': clash,
  '57014': { ...clash, text: 'took too long over a statement' },
  '57P01': gone,
  '57P02': gone,
  '57P03': { ...gone, text: 'is starting up or shutting down' },
  XX001: damaged,
  XX002: damaged,
};

const systemCodes = new Set(
  'ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN ENOENT'.split(' '),
);

/** What the driver says without a code when the connection broke or nothing came in time. */
const driverWords =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Client was closed)/;

/** Whether the same may succeed a moment later; `served` says that it did before. */
export function passes(error: unknown, served: boolean): boolean {
  const meaning = meaningOf(error);
  return meaning?.passes === 'soon' || (served && meaning?.passes === 'later');
}

/** The connection that it came over is to be closed; whether the server did what it was told last is not known. */
export function isSpoilt(error: unknown): boolean {
  return meaningOf(error)?.spoilt === true;
}

/** The error in our words, which name the database by `place`; what is no error of the database stays as it is. */
export function toStoreError(place: string, error: unknown): unknown {
  if (error instanceof SluiceError) return error;
  const meaning = meaningOf(error);
  if (meaning !== undefined) {
    const { code, text, hint } = meaning;
    const said = codeOf(error) ?? messageOf(error);
    return new SluiceError(code, `The database ${place} ${text} (${said}).`, { hint, cause: error });
  }
  if (stateOf(error) === undefined) return error;
  return new SluiceError('ERR_INTERNAL', `The database ${place} failed: ${messageOf(error)}.`, { cause: error });
}

function meaningOf(error: unknown): Meaning | undefined {
  const code = codeOf(error);
  if (code !== undefined) {
    const state = stateOf(error);
    if (state !== undefined) return byState[state] ?? (state.startsWith('08') ? gone : undefined);
    return systemCodes.has(code) ? unreachable : undefined;
  }
  return error instanceof Error && driverWords.test(error.message) ? silent : undefined;
}

/** Errors of the server have the length of their message; those of Node have a code too. */
function stateOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && error instanceof Error && 'severity' in error
    ? code
    : undefined;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
