import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import type { Liveness } from '../sql/liveness.ts';
import type { Schema } from '../sql/schema.ts';
import type { Owner } from '../store.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import type { PostgresLimits } from './postgres-limits.ts';

/** By the clock of the database, which is the same for all. */
const now = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
const forgetMs = 24 * 60 * 60_000;

interface Member {
  readonly owner: Owner;
  readonly lost: AbortController;
  /** By the clock of this process: before the last renewal that has come through was sent. */
  renewedAt: number;
  renewing: boolean;
}

/**
 * Owners live as long as they say so in the table `runners`. One that cannot say so loses its leases a third of the time to
 * live before the others see it as dead, so that two never act for one run.
 */
export class Heartbeats implements Liveness {
  readonly #database: PostgresDatabase;
  readonly #limits: PostgresLimits;
  readonly #version: string;
  readonly #members = new Map<string, Promise<Member>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(database: PostgresDatabase, limits: PostgresLimits, version: string) {
    this.#database = database;
    this.#limits = limits;
    this.#version = version;
  }

  async enlist(owner: Owner): Promise<AbortSignal> {
    const known = this.#members.get(owner.id) ?? this.#enter(owner);
    this.#members.set(owner.id, known);
    try {
      return (await known).lost.signal;
    } catch (error) {
      this.#members.delete(owner.id);
      throw error;
    }
  }

  async deadAmong(db: Kysely<Schema>, owners: readonly Owner[]): Promise<ReadonlySet<string>> {
    const ids = [...new Set(owners.map(({ id }) => id))];
    if (ids.length === 0) return new Set();
    const living = await db
      .selectFrom('runners')
      .select('id')
      .where('id', 'in', ids)
      .where('expires_at', '>', now)
      .execute();
    return new Set(ids).difference(new Set(living.map(({ id }) => id)));
  }

  /** Leaves at once what it still holds to others. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const ids = [...this.#members.keys()];
    this.#members.clear();
    if (ids.length === 0) return;
    // Without it they wait until the time to live is over.
    await this.#database.once((db) => db.deleteFrom('runners').where('id', 'in', ids).execute()).catch(() => undefined);
  }

  async #enter(owner: Owner): Promise<Member> {
    const renewedAt = performance.now();
    await this.#database.write((db) => this.#insert(db, owner));
    this.#timer ??= setInterval(() => void this.#beat(), this.#limits.ttlMs / 12).unref();
    return { owner, lost: new AbortController(), renewedAt, renewing: false };
  }

  async #insert(db: Kysely<Schema>, { id, host, pid }: Owner): Promise<void> {
    await db
      .deleteFrom('runners')
      .where('expires_at', '<', sql<number>`${now} - ${forgetMs}::bigint`)
      .execute();
    // Runs that this owner lost, and that nobody has taken yet, do not become its own again by its new sign of life.
    await db
      .updateTable('runs')
      .set({ owner_id: `${id} until it was lost` })
      .where('owner_id', '=', id)
      .where('finished_at', 'is', null)
      .execute();
    const times = { renewed_at: now, expires_at: this.#expiry };
    await db
      .insertInto('runners')
      .values({ id, host, pid, version: this.#version, ...times })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(times))
      .execute();
  }

  get #expiry() {
    return sql<number>`${now} + ${this.#limits.ttlMs}::bigint`;
  }

  async #beat(): Promise<void> {
    const members = await Promise.allSettled(this.#members.values());
    for (const member of members) {
      if (member.status === 'fulfilled') this.#check(member.value);
    }
  }

  #check(member: Member): void {
    const { ttlMs } = this.#limits;
    const age = performance.now() - member.renewedAt;
    if (age > (ttlMs * 2) / 3) this.#lose(member);
    else if (age > ttlMs / 6 && !member.renewing) void this.#renew(member);
  }

  async #renew(member: Member): Promise<void> {
    member.renewing = true;
    const sentAt = performance.now();
    try {
      // One that is over already is not made good: others may have acted on it.
      const { numUpdatedRows } = await this.#database.once((db) =>
        db
          .updateTable('runners')
          .set({ renewed_at: now, expires_at: this.#expiry })
          .where('id', '=', member.owner.id)
          .where('expires_at', '>', now)
          .executeTakeFirst(),
      );
      if (numUpdatedRows === 0n) this.#lose(member);
      else member.renewedAt = sentAt;
    } catch {
      // Tried again at the next beat, until it is too late.
    } finally {
      member.renewing = false;
    }
  }

  /** A later lease of this owner begins anew. */
  #lose({ owner, lost }: Member): void {
    this.#members.delete(owner.id);
    lost.abort();
  }
}
