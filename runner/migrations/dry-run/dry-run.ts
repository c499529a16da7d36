import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../../model/errors.ts';
import type { CommandEnd, RunCommand } from '../apply/command.ts';
import type { Catalog } from '../catalog.ts';
import { clientVariables } from '../database/client-variables.ts';
import { connect, withConnection } from '../database/connection.ts';
import type { Connection } from '../database/connection.ts';
import { databaseFromTemplate } from '../database/databases.ts';
import type { MadeDatabase } from '../database/databases.ts';
import { runProgram } from '../database/run-program.ts';
import { bookkeepingTables } from '../schema/bookkeeping.ts';
import { diffSchemas } from '../schema/diff-schemas.ts';
import type { SchemaChange } from '../schema/diff-schemas.ts';
import { readCatalog } from '../schema/read-catalog.ts';
import { fingerprintOf, inSnapshot, readSchema, readSchemaHere } from '../schema/read-schema.ts';
import type { SchemaSnapshot } from '../schema/read-schema.ts';
import { isStrong, strengthOf } from './lock-modes.ts';
import type { LockMode } from './lock-modes.ts';
import { readTrace } from './read-trace.ts';
import type { TracedStatement, TraceStep } from './read-trace.ts';
import { sampleLocks } from './sample-locks.ts';
import { beginTrace, endTrace, readSteps, removeTrace } from './trace-script.ts';

export interface DryRunOptions {
  /** Production, with a role that may read its catalogs and the tables of migration tools. Nothing is written there. */
  readonly productionUrl: string;
  /** A server for a scratch database, with an account that may create one. */
  readonly scratchUrl: string;
  /** Runs the migration tool on the scratch database. */
  readonly run: RunCommand;
  /** Size from which a strong lock on a table is told, in bytes. Default 100 MB. */
  readonly largeBytes?: number;
  /** Rows from which it is. Default 100,000. */
  readonly largeRows?: number;
  /** Where pg_dump and pg_restore are looked for, as PATH has it. */
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
}

/**
 * Runs pending migrations on a copy of production's schema, without its rows but with what tools remember of applied migrations, and
 * tells which locks each takes on which tables. The copy goes afterwards. ERR_SERVICE when production cannot be copied.
 */
export async function dryRun(options: DryRunOptions): Promise<DryRun> {
  const { scratchUrl, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sluice-dry-run-'));
  try {
    const { catalog, schema, files } = await dump(options, folder);
    await using scratch = await databaseFromTemplate({ adminUrl: scratchUrl, purpose: 'dry_run', signal });
    await restore(options, files, scratch);
    return await apply(options, scratch, catalog, schema);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Production {
  readonly catalog: Catalog;
  readonly schema: SchemaSnapshot;
  /** Dumps, in the order in which they are restored. */
  readonly files: readonly string[];
}

const dumpFormat = ['--format=custom', '--no-owner', '--no-privileges'];

/** Schema, rows of bookkeeping, and sizes of one moment. */
async function dump({ productionUrl: url, path, signal }: DryRunOptions, folder: string): Promise<Production> {
  await using connection = await connect({ url, signal, applicationName: 'sluice-dry-run' });
  return await inSnapshot(connection, async () => {
    const [row] = await connection.query('SELECT pg_export_snapshot() AS id');
    const snapshot = `--snapshot=${String(row?.['id'])}`;
    const catalog = await readCatalog(connection);
    const schema = await readSchemaHere(connection);
    const dumpTo = async (file: string, ...args: readonly string[]): Promise<string> => {
      const all = [...dumpFormat, snapshot, ...args, `--file=${join(folder, file)}`];
      failOn(await runProgram({ program: 'pg_dump', args: all, url, path, signal }));
      return join(folder, file);
    };
    const files = [await dumpTo('schema', '--schema-only')];
    const known = [...catalog.tables.keys()];
    const tables = bookkeepingTables.filter((name) => known.some((table) => table.endsWith(`.${name}`)));
    if (tables.length > 0)
      files.push(await dumpTo('rows', '--data-only', ...tables.map((name) => `--table=*."${name}"`)));
    return { catalog, schema, files };
  });
}

async function restore(options: DryRunOptions, files: readonly string[], { url, name }: MadeDatabase): Promise<void> {
  const { path, signal } = options;
  for (const file of files) {
    const args = ['--no-owner', '--no-privileges', '--exit-on-error', `--dbname=${name}`, file];
    failOn(await runProgram({ program: 'pg_restore', args, url, path, signal }));
  }
}

function failOn(end: Awaited<ReturnType<typeof runProgram>>): void {
  if (end.ok) return;
  throw new SluiceError('ERR_SERVICE', `The schema of production cannot be copied: ${end.message}`, {
    hint: 'The role needs to read the tables of migration tools; the scratch server needs the extensions of production.',
  });
}

async function apply(
  options: DryRunOptions,
  { url }: MadeDatabase,
  catalog: Catalog,
  before: SchemaSnapshot,
): Promise<DryRun> {
  const { run, signal } = options;
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
      tables: impacts([...statements.map(({ locks }) => locks), sampled], names, catalog, options),
      traced,
      fingerprintBefore: fingerprintOf(before),
      fingerprintAfter: fingerprintOf(after),
      changes: diffSchemas(before, after),
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
  { tables }: Catalog,
  { largeBytes = 100 * 1024 ** 2, largeRows = 100_000 }: DryRunOptions,
): readonly TableImpact[] {
  const modes = new Map<string, LockMode>();
  for (const [table, mode] of traces.flatMap((locks) => [...locks])) {
    if (strengthOf(mode) > strengthOf(modes.get(table))) modes.set(table, mode);
  }
  const found = [...modes].map(([table, mode]) => {
    const { rows, bytes = 0 } = tables.get(table) ?? { rows: undefined };
    const flagged = isStrong(mode) && (bytes >= largeBytes || (rows ?? 0) >= largeRows);
    return { table, mode, rewritten: rewritten.has(table), rows, bytes, flagged };
  });
  return found.toSorted((a, b) => (a.table < b.table ? -1 : 1));
}
