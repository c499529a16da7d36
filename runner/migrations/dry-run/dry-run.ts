import type { CommandEnd, RunCommand } from '../apply/command.ts';
import { clientVariables } from '../database/client-variables.ts';
import { quoteName, withConnection } from '../database/connection.ts';
import type { Connection } from '../database/connection.ts';
import { databaseFromTemplate } from '../database/databases.ts';
import type { MadeDatabase } from '../database/databases.ts';
import { runProgram } from '../database/run-program.ts';
import { bookkeepingTables } from '../schema/bookkeeping.ts';
import { diffSchemas } from '../schema/diff-schemas.ts';
import type { SchemaChange } from '../schema/diff-schemas.ts';
import { fingerprintOf, readSchema } from '../schema/read-schema.ts';
import type { SchemaSnapshot } from '../schema/read-schema.ts';
import { cannotCopy } from './copy-schema.ts';
import type { SchemaCopy } from './copy-schema.ts';
import { isStrong, strengthOf } from './lock-modes.ts';
import type { LockMode } from './lock-modes.ts';
import { readTrace } from './read-trace.ts';
import type { TracedStatement, TraceStep } from './read-trace.ts';
import { sampleLocks } from './sample-locks.ts';
import { beginTrace, endTrace, readSteps, removeTrace } from './trace-script.ts';

export interface DryRunOptions {
  /** Of production. */
  readonly copy: SchemaCopy;
  /** A server for a scratch database, with an account that may create one. */
  readonly scratchUrl: string;
  /** Makes the scratch database ready for the copy: answers the role that owns what is in it, undefined for the account itself. */
  readonly prepare?: (url: string) => Promise<string | undefined>;
  /** Runs the migration tool on the scratch database. */
  readonly run: RunCommand;
  /** Size from which a strong lock on a table is told, in bytes. Default 100 MB. */
  readonly largeBytes?: number;
  /** Rows from which it is. Default 100,000. */
  readonly largeRows?: number;
  /** Where pg_restore is looked for, as PATH has it. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** What a migration would do to a table of production. */
export interface TableImpact {
  readonly table: string;
  readonly mode: LockMode;
  /** Every row would be written anew while the lock is held. */
  readonly rewritten: boolean;
  /** Estimates of production. */
  readonly rows: number | undefined;
  readonly bytes: number;
  /** A strong lock on a large table. */
  readonly flagged: boolean;
  /** It is held for as long as the rows of a large table take: they are written anew, or an index is built of them. */
  readonly lasting: boolean;
}

export interface DryRun {
  readonly end: CommandEnd;
  /** Each statement of DDL with its duration without rows, and the locks that it added. Empty when `traced` is false. */
  readonly statements: readonly TracedStatement[];
  /** By name. */
  readonly tables: readonly TableImpact[];
  /** Whether the account of the scratch server may watch statements from inside; else only locks of some milliseconds were seen. */
  readonly traced: boolean;
  /** Of production's schema, and of what it would become. */
  readonly fingerprintBefore: string;
  readonly fingerprintAfter: string;
  readonly changes: readonly SchemaChange[];
  /** What it would become. */
  readonly after: SchemaSnapshot;
}

/**
 * Runs pending migrations on a copy of production's schema, without its rows but with what tools remember of applied migrations, and
 * tells which locks each takes on which tables. The scratch database goes afterwards. ERR_SERVICE when it cannot be made.
 */
export async function dryRun(options: DryRunOptions): Promise<DryRun> {
  const { scratchUrl, signal } = options;
  await using scratch = await databaseFromTemplate({ adminUrl: scratchUrl, purpose: 'dry_run', signal });
  await restore(options, scratch);
  return await apply(options, scratch);
}

async function restore({ copy, path, signal, prepare }: DryRunOptions, { url, name }: MadeDatabase): Promise<void> {
  const owner = await prepare?.(url);
  // Most extensions can be made by a superuser alone, which the owner of the schema is not.
  if (owner !== undefined) await withConnection({ url, signal }, (connection) => makeExtensions(connection, copy));
  for (const file of copy.files) {
    const role = owner === undefined ? [] : [`--role=${owner}`];
    const args = ['--no-owner', '--no-privileges', '--exit-on-error', ...role, `--dbname=${name}`, file];
    const end = await runProgram({ program: 'pg_restore', args, url, path, signal });
    if (!end.ok) throw cannotCopy(end.message);
  }
}

async function makeExtensions(connection: Connection, { extensions }: SchemaCopy): Promise<void> {
  for (const { name, schema } of extensions) {
    await connection.query(`CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)}`);
    await connection.query(`CREATE EXTENSION IF NOT EXISTS ${quoteName(name)} SCHEMA ${quoteName(schema)}`);
  }
}

async function apply(options: DryRunOptions, { url }: MadeDatabase): Promise<DryRun> {
  const { run, copy, signal } = options;
  const before = await withConnection({ url, signal }, readSchema);
  const facts = await withConnection({ url, signal }, readFacts);
  const traced = await withConnection({ url, signal }, startTrace);
  const { result: end, locks: sampled } = await sampleLocks(url, facts.tables, signal, () =>
    run({ url, env: clientVariables(url), signal }),
  );
  return withConnection({ url, signal }, async (connection) => {
    const statements = traced ? readTrace(await stopTrace(connection), facts.tables) : [];
    const files = (await readFacts(connection)).files;
    const rewritten = [...facts.files].filter(([table, file]) => files.has(table) && files.get(table) !== file);
    const names = new Set(rewritten.map(([table]) => table));
    const after = await readSchema(connection);
    return {
      end,
      statements,
      tables: impacts([...statements.map(({ locks }) => locks), sampled], names, options),
      traced,
      fingerprintBefore: copy.fingerprint,
      fingerprintAfter: fingerprintOf(after),
      changes: diffSchemas(before, after),
      after,
    };
  });
}

/** Names of tables by oid, and by name the file that holds their rows: a new one means that they were written anew. */
async function readFacts(connection: Connection) {
  type Fact = { readonly oid: number; readonly name: string; readonly file: number } & Readonly<
    Record<string, unknown>
  >;
  const rows = await connection.query<Fact>(
    `SELECT c.oid::int8 AS oid, n.nspname || '.' || c.relname AS name, pg_relation_filenode(c.oid)::int8 AS file
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'sluice_trace')
       AND c.relname <> ALL ($1)`,
    [bookkeepingTables],
  );
  return {
    tables: new Map(rows.map(({ oid, name }) => [oid, name])),
    files: new Map(rows.map(({ name, file }) => [name, file])),
  };
}

async function startTrace(connection: Connection): Promise<boolean> {
  const [row] = await connection.query("SELECT current_setting('is_superuser') = 'on' AS may");
  if (row?.['may'] !== true) return false;
  await connection.query(beginTrace);
  return true;
}

async function stopTrace(connection: Connection): Promise<readonly TraceStep[]> {
  await connection.query(endTrace);
  const steps = await connection.query<TraceStep>(readSteps);
  await connection.query(removeTrace);
  return steps;
}

function impacts(
  traces: readonly ReadonlyMap<string, LockMode>[],
  rewritten: ReadonlySet<string>,
  { copy: { sizes }, largeBytes = 100 * 1024 ** 2, largeRows = 100_000 }: DryRunOptions,
): readonly TableImpact[] {
  const modes = new Map<string, LockMode>();
  const indexed = new Set<string>();
  for (const [table, mode] of traces.flatMap((locks) => [...locks])) {
    if (strengthOf(mode) > strengthOf(modes.get(table))) modes.set(table, mode);
    if (mode === indexLock) indexed.add(table);
  }
  const found = [...modes].map(([table, mode]) => {
    const { rows, bytes } = sizes.get(table) ?? { rows: undefined, bytes: 0 };
    const flagged = isStrong(mode) && (bytes >= largeBytes || (rows ?? 0) >= largeRows);
    const anew = rewritten.has(table);
    return { table, mode, rewritten: anew, rows, bytes, flagged, lasting: flagged && (anew || indexed.has(table)) };
  });
  return found.toSorted((a, b) => (a.table < b.table ? -1 : 1));
}

/** Nothing but CREATE INDEX without CONCURRENTLY takes it by itself (postgresql.org/docs/current/explicit-locking.html). */
const indexLock: LockMode = 'ShareLock';
