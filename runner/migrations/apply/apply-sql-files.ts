import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError, messageOf } from '../../model/errors.ts';
import type { Problem } from '../../model/problem.ts';
import { parseScript } from '../classify/parse-script.ts';
import { upSection, wantsNoTransaction } from '../classify/up-section.ts';
import { quoteName, stateOf, withConnection } from '../database/connection.ts';
import type { Connection } from '../database/connection.ts';
import type { MigrationFile, MigrationSite } from '../tools/migration-tool.ts';
import { readStatus } from '../tools/read-status.ts';
import { sqlChecksum, sqlFiles, sqlFilesTable } from '../tools/sql-files.ts';

export interface ApplySqlFilesOptions {
  readonly url: string;
  readonly site: MigrationSite;
  /** Applies files that come before applied ones too; else they are a problem. */
  readonly outOfOrder?: boolean;
  readonly signal: AbortSignal;
}

export interface AppliedSqlFiles {
  /** Names of the files that this call applied. */
  readonly applied: readonly string[];
  /** Why it stopped: nothing was applied of the file that is named. */
  readonly problems: readonly Problem[];
  /** SQLSTATE of the statement that failed. */
  readonly state?: string;
}

/**
 * Applies the pending files of a folder in the order of their names, each in a transaction with its line in `sluice_migrations`;
 * a file with `-- sluice:no-transaction` statement by statement. An applied file that changed or is gone stops everything.
 * ERR_SERVICE when the database cannot be reached, ERR_ABORTED when `signal` is aborted.
 */
export async function applySqlFiles({
  url,
  site,
  outOfOrder = false,
  signal,
}: ApplySqlFilesOptions): Promise<AppliedSqlFiles> {
  return withConnection({ url, signal, applicationName: 'sluice_migrate_files' }, async (connection) => {
    const applied: string[] = [];
    const problems = await problemsOf(site, connection, outOfOrder);
    if (problems.length > 0) return { applied, problems };
    await connection.query(`CREATE TABLE IF NOT EXISTS ${sqlFilesTable} (
      name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
    const { pending } = await readStatus({ tool: sqlFiles, site }, connection);
    for (const file of await sqlFiles.files(site)) {
      if (!pending.includes(file.name)) continue;
      const failed = await applyFile(connection, site, file);
      if (failed !== undefined) return { applied, ...failed };
      applied.push(file.name);
    }
    return { applied, problems: [] };
  });
}

async function problemsOf(
  site: MigrationSite,
  connection: Connection,
  outOfOrder: boolean,
): Promise<readonly Problem[]> {
  const { changed, missing, outOfOrder: late } = await readStatus({ tool: sqlFiles, site }, connection);
  const about = (names: readonly string[], code: string, message: string, hint: string): readonly Problem[] =>
    names.map((name) => ({ code, message, hint, file: `${site.folder}/${name}`, line: 1, column: 1 }));
  return [
    ...about(
      changed,
      'migration-changed',
      'The file was applied and has changed since.',
      'Put it back as it was, and write a new file.',
    ),
    ...about(
      missing,
      'migration-missing',
      'The file was applied and is gone.',
      'Put it back; what it did is in the database.',
    ),
    ...about(
      outOfOrder ? [] : late,
      'migration-out-of-order',
      'The file comes before one that was applied.',
      'Give it a later name, or allow files out of order.',
    ),
  ];
}

type Failed = Pick<AppliedSqlFiles, 'problems' | 'state'>;

async function applyFile(
  connection: Connection,
  site: MigrationSite,
  file: MigrationFile,
): Promise<Failed | undefined> {
  const text = await readFile(join(site.root, file.path), 'utf8');
  const sql = upSection(text);
  const mark = `INSERT INTO ${quoteName(sqlFilesTable)} (name, checksum) VALUES ($1, $2)`;
  const values = [file.name, sqlChecksum(text)];
  const { statements, error } = await parseScript(sql);
  if (error !== undefined) return failure(file.path, sql, error.at, new Error(error.message));
  if (wantsNoTransaction(sql)) {
    for (const { start, end } of statements) {
      const failed = await carryOut(connection, file.path, sql, start, end);
      if (failed !== undefined) return failed;
    }
    await connection.query(mark, values);
    return undefined;
  }
  const own = statements.find(({ node }) => 'TransactionStmt' in node);
  if (own !== undefined) return ownTransaction(file.path, sql, own.start);
  await connection.query('BEGIN');
  for (const { start, end } of statements) {
    const failed = await carryOut(connection, file.path, sql, start, end);
    if (failed === undefined) continue;
    await connection.query('ROLLBACK');
    return failed;
  }
  await connection.query(mark, values);
  await connection.query('COMMIT');
  return undefined;
}

/** One statement, so that a mistake has its place. Errors that are none of the server's are thrown. */
async function carryOut(
  connection: Connection,
  path: string,
  sql: string,
  start: number,
  end: number,
): Promise<Failed | undefined> {
  try {
    await connection.query(sql.slice(start, end));
    return undefined;
  } catch (error) {
    const state = stateOf(error);
    // 57P01: the session was ended from outside.
    if (state === undefined || state.startsWith('57P')) throw error;
    return { ...failure(path, sql, start + positionIn(error), causeOf(error)), state };
  }
}

function failure(file: string, sql: string, at: number, error: unknown): Failed {
  const before = sql.slice(0, at);
  const place = { file, line: before.split('\n').length, column: at - before.lastIndexOf('\n') };
  const hint = 'Nothing of this file was applied unless it runs without a transaction.';
  return { problems: [{ code: 'migration-failed', message: `${messageOf(error)}.`, hint, ...place }] };
}

function ownTransaction(file: string, sql: string, at: number): Failed {
  const [found] = failure(
    file,
    sql,
    at,
    new Error('The file begins or ends a transaction, and it runs in one already'),
  ).problems;
  const hint = 'Remove BEGIN and COMMIT, or write "-- sluice:no-transaction" in the file.';
  return found === undefined ? { problems: [] } : { problems: [{ ...found, hint }] };
}

function causeOf(error: unknown): unknown {
  return error instanceof SluiceError ? error.cause : error;
}

/** The server counts from 1. */
function positionIn(error: unknown): number {
  const cause = causeOf(error);
  const position = cause instanceof Error && 'position' in cause ? Number(cause.position) : 1;
  return Number.isInteger(position) && position > 0 ? position - 1 : 0;
}
