import { SluiceError } from '../../model/errors.ts';
import { connect, withConnection } from '../database/connection.ts';
import type { Connection } from '../database/connection.ts';
import { describeSession, endSessions } from '../database/sessions.ts';
import type { Session } from '../database/sessions.ts';
import { diffSchemas } from '../schema/diff-schemas.ts';
import type { SchemaChange } from '../schema/diff-schemas.ts';
import { fingerprintOf, readSchema } from '../schema/read-schema.ts';
import type { SchemaSnapshot } from '../schema/read-schema.ts';
import { sameStatus } from '../tools/status.ts';
import type { MigrationStatus } from '../tools/status.ts';
import type { CommandEnd, RunCommand } from './command.ts';
import { defaultLimits, pauseAfter } from './limits.ts';
import type { MigrateLimits } from './limits.ts';
import { watchLocks } from './lock-watch.ts';
import { takeMigrationLock } from './migration-lock.ts';
import { knownSessions, openSessionAccount } from './session-account.ts';
import type { SessionAccount } from './session-account.ts';
import { pause } from '../database/pause.ts';

export interface MigrateOptions {
  /** The database, with the account that owns its tables. */
  readonly url: string;
  /** The account serves nothing but migrations of this database: it is bound itself, and all its sessions are the migration's. Default false. */
  readonly dedicated?: boolean;
  readonly run: RunCommand;
  /** Reads what the tool has applied and what is pending, where its bookkeeping is known. */
  readonly status?: (connection: Connection) => Promise<MigrationStatus>;
  readonly limits?: Partial<MigrateLimits>;
  readonly signal: AbortSignal;
}

/** Why a migration is not what it should be. */
export type MigrateFault =
  /** The command ended with another exit code than 0. */
  | 'command_failed'
  /** A lock did not come free in all attempts. */
  | 'lock_timeout'
  /** It took longer than `deadlineMs`. */
  | 'deadline'
  /** The tool says that something is still to be applied, or half applied. */
  | 'pending'
  /** An index could not be built to its end. */
  | 'invalid_index'
  /** Running the command again changed something. */
  | 'not_repeatable';

export interface MigrateResult {
  readonly outcome: 'succeeded' | 'failed';
  readonly fault?: MigrateFault;
  /** A sentence about the fault, with names. */
  readonly message?: string;
  /** Of the schema before and after. */
  readonly fingerprintBefore: string;
  readonly fingerprintAfter: string;
  readonly changes: readonly SchemaChange[];
  readonly status?: MigrationStatus;
  /** Runs of the command until it got its locks. */
  readonly attempts: number;
  /** Who was last in the way. */
  readonly blockers: readonly Session[];
  /** Sessions of an earlier migration that were still there. */
  readonly leftovers: number;
  readonly account: SessionAccount['kind'];
}

const cleanUpMs = 30_000;
const graceMs = 2_000;

/**
 * Runs a migration command under the lock of this database, with limits on its sessions, and proves that it is done: nothing
 * pending, and a second run changes nothing. However it ends, none of its sessions is left; those of an earlier one that was
 * killed are ended first. What the command does wrong is an outcome; ERR_CONFLICT when another migration does not end in time,
 * ERR_ABORTED when `signal` is, ERR_LIMIT when it
 * cannot begin before its deadline, ERR_SERVICE when the database fails.
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const limits = { ...defaultLimits, ...options.limits };
  const stop = new AbortController();
  const deadline = AbortSignal.timeout(limits.deadlineMs);
  const signal = AbortSignal.any([options.signal, deadline, stop.signal]);
  // The session outlives an abort: the lock is given back last.
  const over = new AbortController();
  await using lock = await connect({ url: options.url, signal: over.signal, applicationName: 'sluice-migrate-lock' });
  await lock.query('SELECT set_config($1, $2, false)', ['idle_session_timeout', '0']).catch(() => undefined);
  lock.lost.catch((error: unknown) => stop.abort(error));
  try {
    await takeMigrationLock(lock, limits.waitMs, signal);
    return await new Migration(options, limits, lock, signal, deadline).carryOut();
  } catch (error) {
    if (options.signal.aborted) throw cancelled(error);
    if (deadline.aborted) throw tooLate(limits.deadlineMs, error);
    throw error;
  }
}

function tooLate(deadlineMs: number, cause: unknown): SluiceError {
  return new SluiceError('ERR_LIMIT', `The migration could not begin in ${deadlineMs} ms.`, { cause });
}

function cancelled(cause: unknown): SluiceError {
  return new SluiceError('ERR_ABORTED', 'The migration was cancelled; its sessions have ended.', { cause });
}

/** One migration that has the lock. */
class Migration {
  readonly #options: MigrateOptions;
  readonly #limits: MigrateLimits;
  readonly #lock: Connection;
  readonly #signal: AbortSignal;
  readonly #deadline: AbortSignal;
  #attempts = 0;
  #lost = false;
  #running: Promise<unknown> = Promise.resolve();
  #blockers: readonly Session[] = [];

  constructor(
    options: MigrateOptions,
    limits: MigrateLimits,
    lock: Connection,
    signal: AbortSignal,
    deadline: AbortSignal,
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#lock = lock;
    this.#signal = signal;
    this.#deadline = deadline;
    lock.lost.catch(() => (this.#lost = true));
  }

  async carryOut(): Promise<MigrateResult> {
    const leftovers = await this.#endLeftovers();
    const before = await this.#read(readSchema);
    const { url, dedicated = false } = this.#options;
    const account = await openSessionAccount(this.#lock, { url, dedicated, limits: this.#limits }, this.#signal);
    const found = await this.#guarded(account, () => this.#runAndProve(account));
    const after = await withConnection({ url: this.#options.url, signal: AbortSignal.timeout(cleanUpMs) }, readSchema);
    return {
      outcome: found.fault === undefined ? 'succeeded' : 'failed',
      ...found,
      fingerprintBefore: fingerprintOf(before),
      fingerprintAfter: fingerprintOf(after),
      changes: diffSchemas(before, after),
      attempts: this.#attempts,
      blockers: this.#blockers,
      leftovers,
      account: account.kind,
    };
  }

  async #endLeftovers(): Promise<number> {
    let ended = 0;
    for (const sessions of await knownSessions(this.#lock, this.#options.dedicated === true))
      ended += await endSessions(this.#lock, sessions, this.#signal);
    return ended;
  }

  /** Whatever happens, no session of the account outlives this. */
  async #guarded(account: SessionAccount, work: () => Promise<Found>): Promise<Found> {
    try {
      return await work();
    } catch (error) {
      if (!this.#deadline.aborted || this.#options.signal.aborted) throw error;
      const message = `The migration was not done in ${this.#limits.deadlineMs} ms; its sessions were ended.`;
      return { fault: 'deadline', message };
    } finally {
      await this.#end(account);
      // Without a session there is nothing left for it to wait for.
      await within(this.#running, AbortSignal.abort(), cleanUpMs).catch(() => undefined);
    }
  }

  /** Without the lock nothing may be ended: the sessions may be those of the next migration, which has ended ours. */
  async #end(account: SessionAccount): Promise<void> {
    const signal = AbortSignal.timeout(cleanUpMs);
    if (!this.#lost) return cleanUp(this.#lock, account, signal);
    await using lock = await connect({ url: this.#options.url, signal, applicationName: 'sluice-migrate-lock' });
    try {
      await takeMigrationLock(lock, 0, signal);
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'ERR_CONFLICT') return;
      throw error;
    }
    await cleanUp(lock, account, signal);
  }

  async #runAndProve(account: SessionAccount): Promise<Found> {
    const failed = await this.#runUntilLocksAreFree(account);
    if (failed !== undefined) return failed;
    const once = await this.#look();
    const unfinished = unfinishedIn(once);
    if (unfinished !== undefined) return { ...unfinished, ...statusOf(once) };
    const again = await this.#runOnce(account);
    if (again.exitCode !== 0) {
      const message = `The second run of the command ended with exit code ${again.exitCode}; it has to find nothing to do.`;
      return { fault: 'not_repeatable', message, ...statusOf(once) };
    }
    return { ...differenceOf(once, await this.#look()), ...statusOf(once) };
  }

  async #runUntilLocksAreFree(account: SessionAccount): Promise<Found | undefined> {
    for (;;) {
      this.#attempts += 1;
      const { exitCode, output, waitedMs } = await this.#watched(account);
      if (exitCode === 0) return undefined;
      const wantedLock = saysLockTimeout.test(output) || waitedMs >= 0.8 * this.#limits.lockTimeoutMs;
      if (!wantedLock) return { fault: 'command_failed', message: `The command ended with exit code ${exitCode}.` };
      if (this.#attempts >= this.#limits.attempts) return { fault: 'lock_timeout', message: this.#couldNotLock() };
      await pause(pauseAfter(this.#attempts, this.#limits, Math.random()), this.#signal);
    }
  }

  #couldNotLock(): string {
    const who = this.#blockers.map(describeSession).join('; ');
    return `The command could not get a lock in ${this.#attempts} attempts. In the way: ${who === '' ? 'nobody that was seen' : who}.`;
  }

  async #watched(account: SessionAccount): Promise<CommandEnd & { readonly waitedMs: number }> {
    const watch = await watchLocks(
      { url: this.#options.url, signal: this.#signal, applicationName: 'sluice-migrate-watch' },
      account.sessions,
    );
    try {
      const end = await this.#runOnce(account);
      const { blockers, waitedMs } = watch.seen();
      if (blockers.length > 0) this.#blockers = blockers;
      return { ...end, waitedMs };
    } finally {
      await watch.close();
    }
  }

  /** After an abort the command gets a little time to end by itself, before its sessions are ended. */
  async #runOnce({ url, env }: SessionAccount): Promise<CommandEnd> {
    this.#signal.throwIfAborted();
    const running = this.#options.run({ url, env, signal: this.#signal });
    this.#running = running;
    const end = await within(running, this.#signal, graceMs);
    this.#signal.throwIfAborted();
    return end;
  }

  async #look(): Promise<Seen> {
    const schema = await this.#read(readSchema);
    const { status } = this.#options;
    return { schema, status: status === undefined ? undefined : await this.#read(status) };
  }

  #read<Result>(read: (connection: Connection) => Promise<Result>): Promise<Result> {
    return withConnection({ url: this.#options.url, signal: this.#signal }, read);
  }
}

async function cleanUp(connection: Connection, account: SessionAccount, signal: AbortSignal): Promise<void> {
  await account.shut(connection);
  await endSessions(connection, account.sessions, signal);
  await account.remove(connection);
}

interface Found {
  readonly fault?: MigrateFault;
  readonly message?: string;
  readonly status?: MigrationStatus;
}

interface Seen {
  readonly schema: SchemaSnapshot;
  readonly status: MigrationStatus | undefined;
}

/** As drivers tell it: by code, or in the words of the server. */
const saysLockTimeout = /\b55P03\b|canceling statement due to lock timeout|LockNotAvailable/;

/** The result of work, or a rejection when it is not there so many ms after an abort. */
function within<Result>(work: Promise<Result>, signal: AbortSignal, ms: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const aborted = (): void => {
      const late = new SluiceError('ERR_ABORTED', 'The command was told to end.', { cause: signal.reason });
      timer = setTimeout(() => reject(late), ms);
    };
    const settled = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    };
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
    work.finally(settled).then(resolve, reject);
  });
}

function unfinishedIn({ schema, status }: Seen): Found | undefined {
  const left = [...(status?.pending ?? []), ...(status?.incomplete ?? [])];
  if (left.length > 0)
    return { fault: 'pending', message: `The command ended, and this is still to be applied: ${left.join(', ')}.` };
  const invalid = [...(schema.get('index') ?? [])].find(([, index]) => isInvalid(index));
  if (invalid === undefined) return undefined;
  const message = `The index ${invalid[0]} was not built to its end. Drop it with DROP INDEX CONCURRENTLY, then migrate again.`;
  return { fault: 'invalid_index', message };
}

function isInvalid(index: unknown): boolean {
  return typeof index === 'object' && index !== null && 'valid' in index && index.valid === false;
}

function differenceOf(once: Seen, twice: Seen): Found {
  const [changed] = diffSchemas(once.schema, twice.schema);
  if (changed !== undefined) {
    const message = `A second run of the command ${changed.change} the ${changed.kind} ${changed.name}; it has to find nothing to do.`;
    return { fault: 'not_repeatable', message };
  }
  if (once.status === undefined || twice.status === undefined || sameStatus(once.status, twice.status)) return {};
  return {
    fault: 'not_repeatable',
    message: 'A second run of the command applied more migrations; it has to find nothing to do.',
  };
}

function statusOf({ status }: Seen): Found {
  return status === undefined ? {} : { status };
}
