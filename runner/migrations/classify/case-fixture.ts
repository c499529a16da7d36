import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of `cases/`: expectations in its first lines, then SQL. */
export interface Case {
  readonly name: string;
  readonly path: string;
  /** The whole file, expectations included, so that places are those of the file. */
  readonly sql: string;
  readonly class: string;
  readonly verdict: string;
  /** Rules that find something, in alphabetical order. */
  readonly rules: readonly string[];
  /** What squawk says, in alphabetical order. */
  readonly squawk: readonly string[];
  /** Why squawk's verdict is another one. */
  readonly difference: string | undefined;
}

const caseFolder = fileURLToPath(new URL('cases/', import.meta.url));

export function readCases(): readonly Case[] {
  return globSync(`${caseFolder}*.sql`).toSorted().map(readCase);
}

function readCase(path: string): Case {
  const sql = readFileSync(path, 'utf8');
  const value = (key: string) => new RegExp(`^-- ${key}:(.*)$`, 'm').exec(sql)?.[1]?.trim();
  const words = (key: string) => (value(key) ?? '').split(' ').filter((word) => word !== '');
  return {
    name: basename(path, '.sql'),
    path,
    sql,
    class: value('class') ?? '',
    verdict: value('verdict') ?? '',
    rules: words('rules'),
    squawk: words('squawk'),
    difference: value('difference'),
  };
}
