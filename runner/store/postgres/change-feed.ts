import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import pg from 'pg';
import type { ClientConfig } from 'pg';
import type { Schema } from '../sql/schema.ts';
import type { PostgresLimits } from './postgres-limits.ts';

const channel = 'sluice_changes';

/**
 * Counts the changes that this process makes and those that others announce (LISTEN, NOTIFY). Announced is after the commit
 * and once for all that is due: inside of transactions the announcements would let only one of them commit at a time. Who
 * dies in between has announced nothing, so that every few seconds count as a change too; so does every question while
 * nobody could tell.
 */
export class ChangeFeed {
  readonly #config: ClientConfig;
  readonly #db: Kysely<Schema>;
  readonly #lookMs: number;
  readonly #id = randomUUID();
  #count = 0;
  #listener: Promise<pg.Client | undefined> | undefined;
  #looking: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;
  #due = false;
  #ringing: Promise<void> | undefined;
  #closed = false;

  constructor(config: ClientConfig, db: Kysely<Schema>, limits: PostgresLimits) {
    this.#config = config;
    this.#db = db;
    this.#lookMs = limits.ttlMs / 6;
  }

  async changes(): Promise<number> {
    if (!this.#closed && (await (this.#listener ??= this.#listen())) === undefined) this.#count++;
    return this.#count;
  }

  /** After a commit. */
  ring(): void {
    this.#count++;
    this.#due = true;
    this.#ringing ??= this.#ring().finally(() => (this.#ringing = undefined));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looking);
    await Promise.all([this.#ringing, this.#underWay]);
    await (await this.#listener)?.end().catch(() => undefined);
  }

  async #ring(): Promise<void> {
    while (this.#due) {
      this.#due = false;
      // Lost with its connection, it is made up for by the next look of the others.
      await sql`select pg_notify(${channel}, ${this.#id})`.execute(this.#db).catch(() => undefined);
    }
  }

  async #listen(): Promise<pg.Client | undefined> {
    const client = new pg.Client(this.#config);
    client.on('error', () => this.#drop(client));
    client.on('end', () => this.#drop(client));
    client.on('notification', ({ payload }) => {
      if (payload !== this.#id) this.#count++;
    });
    this.#looking ??= setInterval(() => {
      this.#underWay ??= this.#look().finally(() => (this.#underWay = undefined));
    }, this.#lookMs).unref();
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
      this.#count++;
      return client;
    } catch {
      client.end().catch(() => undefined);
      return undefined;
    }
  }

  /** Finds a connection over which nothing comes any more, and tries again where there is none. */
  async #look(): Promise<void> {
    this.#count++;
    const client = await this.#listener;
    if (client === undefined) this.#listener = undefined;
    else await client.query('select 1').catch(() => this.#drop(client));
  }

  #drop(client: pg.Client): void {
    this.#listener = undefined;
    this.#count++;
    client.end().catch(() => undefined);
  }
}
