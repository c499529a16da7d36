import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../model/errors.ts';
import type { Json } from '../../model/json.ts';
import { connect } from '../database/connection.ts';
import { runProgram } from '../database/run-program.ts';
import { bookkeepingTables } from '../schema/bookkeeping.ts';
import { readCatalog } from '../schema/read-catalog.ts';
import { fingerprintOf, inSnapshot, readSchemaHere } from '../schema/read-schema.ts';

/** How large a table is, by the estimates of the planner: `rows` is undefined for one that was never analysed. */
export interface TableSize {
  readonly rows?: number | undefined;
  readonly bytes: number;
}

/** The schema of a database as files: no row but those in which migration tools remember what they applied. */
export interface SchemaCopy {
  /** Dumps of pg_dump, absolute, in the order in which they are restored. */
  readonly files: readonly string[];
  readonly fingerprint: string;
  /** By `schema.table`, bookkeeping too; empty for a database in which nothing was made yet. */
  readonly sizes: ReadonlyMap<string, TableSize>;
  readonly extensions: readonly Extension[];
}

export interface Extension {
  readonly name: string;
  readonly schema: string;
}

export interface CopySchemaOptions {
  /** With a role that may read its catalogs and the tables of migration tools. Nothing is written there. */
  readonly url: string;
  /** Where the files go; made when it is missing. */
  readonly folder: string;
  /** Where pg_dump is looked for, as PATH has it. */
  readonly path: string;
  readonly signal: AbortSignal;
}

const aboutFile = 'about.json';
const installed = `SELECT e.extname AS name, n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname <> 'plpgsql' ORDER BY 1`;
const dumps = { schema: 'schema', rows: 'rows' } as const;

/** Schema, rows of bookkeeping, and sizes of one moment, into a folder. ERR_SERVICE when the database cannot be copied. */
export async function copySchema({ url, folder, path, signal }: CopySchemaOptions): Promise<SchemaCopy> {
  await mkdir(folder, { recursive: true });
  await using connection = await connect({ url, signal, applicationName: 'sluice-copy-schema' });
  return await inSnapshot(connection, async () => {
    const [row] = await connection.query('SELECT pg_export_snapshot() AS id');
    const common = [
      '--format=custom',
      '--no-owner',
      '--no-privileges',
      '--no-comments',
      `--snapshot=${String(row?.['id'])}`,
    ];
    const { tables } = await readCatalog(connection);
    const fingerprint = fingerprintOf(await readSchemaHere(connection));
    const dumpTo = async (file: string, ...args: readonly string[]): Promise<void> => {
      const all = [...common, ...args, `--file=${join(folder, file)}`];
      const end = await runProgram({ program: 'pg_dump', args: all, url, path, signal });
      if (!end.ok) throw cannotCopy(end.message);
    };
    await dumpTo(dumps.schema, '--schema-only');
    const remembered = bookkeepingTables.filter((name) => [...tables.keys()].some((table) => isCalled(table, name)));
    if (remembered.length > 0)
      await dumpTo(dumps.rows, '--data-only', ...remembered.map((name) => `--table=*."${name}"`));
    const files = [dumps.schema, ...(remembered.length > 0 ? [dumps.rows] : [])];
    const sizes = [...tables].map(([name, { rows, bytes }]) => [name, { ...(rows !== undefined && { rows }), bytes }]);
    const extensions = await connection.query(installed);
    const about = { files, fingerprint, sizes: Object.fromEntries(sizes) as Json, extensions };
    await writeFile(join(folder, aboutFile), JSON.stringify(about));
    return readSchemaCopy(folder);
  });
}

/** The copy that a folder holds. Rejects when there is none. */
export async function readSchemaCopy(folder: string): Promise<SchemaCopy> {
  const about = JSON.parse(await readFile(join(folder, aboutFile), 'utf8')) as Omit<SchemaCopy, 'sizes'> & {
    readonly sizes: Readonly<Record<string, TableSize>>;
  };
  const { files, sizes } = about;
  return { ...about, files: files.map((file) => join(folder, file)), sizes: new Map(Object.entries(sizes)) };
}

export function cannotCopy(message: string): SluiceError {
  return new SluiceError('ERR_SERVICE', `The schema of production cannot be copied: ${message}`, {
    hint: 'The role needs to read the tables of migration tools; the scratch server needs the extensions of production.',
  });
}

function isCalled(table: string, name: string): boolean {
  return table.endsWith(`.${name}`);
}
