import { sql } from 'kysely';
import type { Kysely } from 'kysely';
import { SluiceError } from '../../model/errors.ts';
import { createOutboxTable } from './outbox.ts';
import type { Schema } from './schema.ts';
import type { SqlDatabase } from './sql-database.ts';
import { createWatchTables } from './watch.ts';

/** Forward only. A migration that was released is never edited. */
const migrations: readonly ((db: Kysely<Schema>) => Promise<void>)[] = [
  createTables,
  createIntakeTables,
  createRunners,
  createOutboxTable,
  createServerTables,
  createWatchTables,
  addHeldRuns,
  createInstallation,
  addPriorities,
];

/** Brings the database to the newest schema. Processes that open a new database at once wait for each other. */
export async function migrate(database: SqlDatabase): Promise<void> {
  await database.write(async (db) => {
    await db.schema
      .createTable('schema_version')
      .ifNotExists()
      .addColumn('version', 'integer', (column) => column.notNull())
      .execute();
    const stored = await db.selectFrom('schema_version').select('version').executeTakeFirst();
    const version = stored?.version ?? 0;
    if (version > migrations.length) throw tooNew(version);
    if (version === migrations.length) return;
    for (const migration of migrations.slice(version)) await migration(db);
    await db.deleteFrom('schema_version').execute();
    await db.insertInto('schema_version').values({ version: migrations.length }).execute();
  });
}

function tooNew(version: number): SluiceError {
  const message = `The database has schema version ${version}, this Sluice knows versions up to ${migrations.length}.`;
  return new SluiceError('ERR_UNSUPPORTED', message, {
    hint: 'A newer Sluice has used this database; update Sluice, or choose another data folder or database.',
  });
}

async function createTables(db: Kysely<Schema>): Promise<void> {
  await createRunTables(db);
  await createResultTables(db);
}

async function createRunTables({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('runs')
    .addColumn('run_id', 'text', (column) => column.primaryKey())
    .addColumn('repository', 'text', (column) => column.notNull())
    .addColumn('pipeline', 'text', (column) => column.notNull())
    .addColumn('branch', 'text', (column) => column.notNull())
    .addColumn('commit_id', 'text', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('phase', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text')
    .addColumn('reason', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('group_name', 'text', (column) => column.notNull())
    .addColumn('fence', 'integer', (column) => column.notNull())
    .addColumn('owner_id', 'text', (column) => column.notNull())
    .addColumn('owner_host', 'text', (column) => column.notNull())
    .addColumn('owner_pid', 'integer', (column) => column.notNull())
    .addColumn('owner_started_at', 'text', (column) => column.notNull())
    .execute();
  await schema.createIndex('runs_newest').on('runs').columns(['created_at', 'run_id']).execute();
  await schema
    .createIndex('runs_unfinished')
    .on('runs')
    .columns(['created_at', 'run_id'])
    .where(sql.ref('finished_at'), 'is', null)
    .execute();
  await schema
    .createTable('events')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.run_id'))
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('events_key', ['run_id', 'version'])
    .execute();
  await schema
    .createTable('held_groups')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('holder', 'text', (column) => column.notNull())
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.run_id'))
    .addColumn('acquired_at', 'bigint', (column) => column.notNull())
    .execute();
}

async function createResultTables({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('test_saves')
    .addColumn('save_id', 'text', (column) => column.primaryKey())
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.run_id'))
    .addColumn('step', 'text', (column) => column.notNull())
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('chunks', 'integer')
    .execute();
  await schema.createIndex('test_saves_attempt').on('test_saves').columns(['run_id', 'step', 'attempt']).execute();
  await schema
    .createTable('test_chunks')
    .addColumn('save_id', 'text', (column) => column.notNull().references('test_saves.save_id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('cases', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('test_chunks_key', ['save_id', 'position'])
    .execute();
  await schema
    .createTable('attempt_artifacts')
    .addColumn('run_id', 'text', (column) => column.notNull().references('runs.run_id'))
    .addColumn('step', 'text', (column) => column.notNull())
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('entries', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('attempt_artifacts_key', ['run_id', 'step', 'attempt'])
    .execute();
  await schema
    .createTable('caches')
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('blob', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('caches_key', ['scope', 'key'])
    .execute();
}

async function createIntakeTables({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('repositories')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('forge', 'text', (column) => column.notNull())
    .addColumn('forge_id', 'text', (column) => column.notNull())
    .addColumn('clone_url', 'text', (column) => column.notNull())
    .addColumn('file', 'text', (column) => column.notNull())
    .addColumn('forks', 'text', (column) => column.notNull())
    .addColumn('secrets', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  // A delivery stays when its repository goes: its run does too.
  await schema
    .createTable('deliveries')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('repository_id', 'text', (column) => column.notNull())
    .addColumn('forge_id', 'text', (column) => column.notNull())
    .addColumn('change', 'text')
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('received_at', 'bigint', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('run_id', 'text')
    .addColumn('payload', 'text', (column) => column.notNull())
    .addUniqueConstraint('deliveries_forge_id', ['repository_id', 'forge_id'])
    .addUniqueConstraint('deliveries_change', ['repository_id', 'change'])
    .execute();
  await schema.createIndex('deliveries_newest').on('deliveries').columns(['received_at', 'id']).execute();
}

async function createServerTables(db: Kysely<Schema>): Promise<void> {
  const { schema } = db;
  await schema
    .createTable('counters')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'bigint', (column) => column.notNull())
    .execute();
  await db
    .insertInto('counters')
    .values([
      { name: 'events', value: 0 },
      { name: 'audit', value: 0 },
    ])
    .execute();
  await schema.alterTable('events').addColumn('position', 'bigint').execute();
  await schema.createIndex('events_position').on('events').column('position').execute();
  await schema.createIndex('runs_of_repository').on('runs').columns(['repository', 'created_at', 'run_id']).execute();
  await schema
    .createTable('tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('repositories', 'text')
    .addColumn('sha256', 'text', (column) => column.notNull().unique())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .execute();
  await schema
    .createTable('audit')
    .addColumn('position', 'bigint', (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('object', 'text', (column) => column.notNull())
    .addColumn('request_id', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .execute();
  await schema
    .createTable('answers')
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('status', 'integer')
    .addColumn('body', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('answers_key', ['subject', 'key'])
    .execute();
  await schema.createIndex('answers_oldest').on('answers').column('created_at').execute();
  await createHistoryTables(db);
}

async function createHistoryTables({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('test_cases')
    .addColumn('case_id', 'text', (column) => column.primaryKey())
    .addColumn('repository', 'text', (column) => column.notNull())
    .addColumn('step', 'text', (column) => column.notNull())
    .addColumn('suites', 'text', (column) => column.notNull())
    .addColumn('class_name', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('file', 'text', (column) => column.notNull())
    .execute();
  await schema.createIndex('test_cases_of').on('test_cases').columns(['repository', 'case_id']).execute();
  await schema.createIndex('test_cases_named').on('test_cases').columns(['repository', 'name']).execute();
  await schema
    .createTable('test_results')
    .addColumn('save_id', 'text', (column) => column.notNull().references('test_saves.save_id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('case_id', 'text', (column) => column.notNull())
    .addColumn('repository', 'text', (column) => column.notNull())
    .addColumn('commit_id', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('flaky', 'integer', (column) => column.notNull())
    .addColumn('notable', 'integer', (column) => column.notNull())
    .addColumn('duration_ms', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('test_results_key', ['save_id', 'position'])
    .execute();
  await schema
    .createIndex('test_results_of_case')
    .on('test_results')
    .columns(['case_id', 'at', 'save_id', 'position'])
    .execute();
  await schema
    .createIndex('test_results_notable')
    .on('test_results')
    .columns(['repository', 'at'])
    .where(sql.ref('notable'), '=', 1)
    .execute();
}

async function addHeldRuns({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .alterTable('runs')
    .addColumn('held', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
}

/** The default is for servers of an older version that still write while this one runs. */
async function addPriorities({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .alterTable('runs')
    .addColumn('priority', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
}

async function createRunners({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('runners')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('pid', 'integer', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('renewed_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute();
}

/** One row, made by the first who asks. */
async function createInstallation({ schema }: Kysely<Schema>): Promise<void> {
  await schema
    .createTable('installation')
    .addColumn('one', 'integer', (column) => column.primaryKey())
    .addColumn('id', 'text', (column) => column.notNull())
    .execute();
}
