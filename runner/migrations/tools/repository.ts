import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection, Row } from '../database/connection.ts';
import { quoteName, quoteText } from '../database/connection.ts';
import type { MigrationSite } from './migration-tool.ts';

/** Names in a folder, sorted as bytes; none when it is not there. */
export async function namesIn(root: string, folder: string): Promise<readonly string[]> {
  return (await readdir(join(root, folder)).catch(() => [])).toSorted();
}

/** Names of a folder that fit a pattern. */
export async function namesLike({ root, folder }: MigrationSite, pattern: RegExp): Promise<readonly string[]> {
  return (await namesIn(root, folder)).filter((name) => pattern.test(name));
}

/** The first folder that holds a file like this. */
export async function folderWith(
  root: string,
  folders: readonly string[],
  pattern: RegExp,
): Promise<string | undefined> {
  for (const folder of folders) if ((await namesLike({ root, folder }, pattern)).length > 0) return folder;
  return undefined;
}

export async function textOf(root: string, path: string): Promise<string | undefined> {
  return readFile(join(root, path), 'utf8').catch(() => undefined);
}

/** Whether package.json names one of these packages, in whatever role. */
export async function dependsOn(root: string, packages: readonly string[]): Promise<boolean> {
  const text = await textOf(root, 'package.json');
  return packages.some((name) => text?.includes(`"${name}":`) === true);
}

/** Rows of a bookkeeping table, undefined when the search path has none of that name. */
export async function bookkeeping<Result extends Row>(
  connection: Connection,
  table: string,
  columns: string,
): Promise<readonly Result[] | undefined> {
  const [row] = await connection.query(`SELECT to_regclass(${quoteText(quoteName(table))}) IS NOT NULL AS there`);
  if (row?.['there'] !== true) return undefined;
  return connection.query<Result>(`SELECT ${columns} FROM ${quoteName(table)}`);
}
