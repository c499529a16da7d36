import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { SluiceError } from '../../model/errors.ts';
import { connect, databaseOf, quoteName } from '../database/connection.ts';
import type { Connection } from '../database/connection.ts';
import { databaseFromTemplate } from '../database/databases.ts';
import { runProgram } from '../database/run-program.ts';
import { fingerprintOf, inSnapshot, readSchemaHere } from '../schema/read-schema.ts';

/** What a backup holds, seen in the very moment that it was taken of. */
export interface Backup {
  /** pg_dump's custom format. */
  readonly file: string;
  readonly bytes: number;
  /** Of the file, in hex. */
  readonly sha256: string;
  readonly fingerprint: string;
  /** Rows of each table, `schema.table`. */
  readonly rows: Readonly<Record<string, number>>;
}

export interface BackupOptions {
  /** The database, with an account that may read all of it. */
  readonly url: string;
  /** The file to write; it must not be there. */
  readonly file: string;
  /** Where pg_dump and pg_restore are looked for, as PATH has it. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Dumps a database with its owners and rights, and counts its rows in the same snapshot. ERR_SERVICE when that fails; there is no file then. */
export async function backup({ url, file, path, signal }: BackupOptions): Promise<Backup> {
  await using connection = await connect({ url, signal, applicationName: 'sluice-backup' });
  return await inSnapshot(connection, async () => {
    const fingerprint = fingerprintOf(await readSchemaHere(connection));
    const rows = await countRows(connection);
    const [row] = await connection.query('SELECT pg_export_snapshot() AS id');
    const args = ['--format=custom', `--snapshot=${String(row?.['id'])}`, `--file=${file}`];
    const dumped = await runProgram({ program: 'pg_dump', args, url, path, signal });
    if (!dumped.ok) {
      await rm(file, { force: true });
      throw new SluiceError('ERR_SERVICE', dumped.message, {
        hint: `The backup was to be ${file}.`,
      });
    }
    return { file, bytes: (await stat(file)).size, sha256: await digestOf(file), fingerprint, rows };
  });
}

export interface RestoreOptions {
  readonly backup: Backup;
  /** An empty database, with the account of a superuser or of one who may make all that is in the backup. */
  readonly url: string;
  /** With the owners and rights that were there, whose roles the server must have. Default false: everything belongs to the account. */
  readonly exact?: boolean;
  /** Where pg_restore is looked for, as PATH has it. */
  readonly path: string;
  readonly signal: AbortSignal;
}

export type RestoreVerdict =
  | { readonly verified: true; readonly tables: number; readonly rows: number }
  | { readonly verified: false; readonly message: string };

/** Restores a backup into an empty database and compares schema and rows with what was there: only then is it a backup. */
export async function restore({ backup, url, exact = false, path, signal }: RestoreOptions): Promise<RestoreVerdict> {
  const { file, sha256, rows, fingerprint } = backup;
  if ((await digestOf(file).catch(() => '')) !== sha256) return refused(`${file} is gone, or not what was written`);
  const belongings = exact ? [] : ['--no-owner', '--no-privileges'];
  const args = [...belongings, '--exit-on-error', `--dbname=${databaseOf(url)}`, file];
  const restored = await runProgram({ program: 'pg_restore', args, url, path, signal });
  if (!restored.ok) return refused(restored.message);
  await using connection = await connect({ url, signal });
  return await inSnapshot(connection, async () => {
    const schema = await readSchemaHere(connection);
    if (fingerprintOf(schema) !== fingerprint) return refused('The restored schema is another one.');
    const counted = await countRows(connection);
    const wrong = [...new Set([...Object.keys(rows), ...Object.keys(counted)])].find(
      (table) => rows[table] !== counted[table],
    );
    if (wrong !== undefined)
      return refused(`${wrong} has ${counted[wrong] ?? 'no'} rows restored and had ${rows[wrong] ?? 'none'}.`);
    const counts = Object.values(counted);
    return { verified: true, tables: counts.length, rows: sumOf(counts) };
  });
}

export interface DrillOptions extends Omit<RestoreOptions, 'url' | 'exact'> {
  /** A server for a scratch database, with an account that may create one. */
  readonly scratchUrl: string;
}

/** The same in a scratch database, which goes afterwards. */
export async function restoreVerified({ scratchUrl, ...options }: DrillOptions): Promise<RestoreVerdict> {
  const { signal } = options;
  await using scratch = await databaseFromTemplate({ adminUrl: scratchUrl, purpose: 'restore', signal });
  return await restore({ ...options, url: scratch.url });
}

const refused = (message: string): RestoreVerdict => ({ verified: false, message });

/** Every table that holds rows itself, bookkeeping too. */
async function countRows(connection: Connection): Promise<Readonly<Record<string, number>>> {
  const tables = await connection.query<Readonly<Record<'schema' | 'name', string>>>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2`,
  );
  const counts: Record<string, number> = {};
  for (const { schema, name } of tables) {
    const [row] = await connection.query(`SELECT count(*) AS n FROM ${quoteName(schema)}.${quoteName(name)}`);
    counts[`${schema}.${name}`] = Number(row?.['n']);
  }
  return counts;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function sumOf(numbers: readonly number[]): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}
