import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { messageOf, SluiceError } from '../model/errors.ts';

/** NAME=value lines; values may be quoted and then span lines. ERR_USAGE names the file and the line, never a value. */
export async function readSecretsFile(path: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new SluiceError('ERR_USAGE', `cannot read the secrets file ${path}: ${messageOf(error)}`, {
      hint: 'Give the path of a file with NAME=value lines.',
      cause: error,
    });
  });
  const [bad] = badLines(text);
  if (bad !== undefined) {
    throw new SluiceError('ERR_USAGE', `line ${bad} of the secrets file ${path} is no NAME=value`, {
      hint: 'A name has letters, digits and `_`; a value of several lines stands in quotes; a comment begins with `#`.',
    });
  }
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (value) secrets[name] = value;
  }
  return secrets;
}

const assignment = /^\s*(?:export\s+)?[A-Za-z_]\w*\s*=\s*(?<value>.*)$/;

/** Numbers of the lines that `parseEnv` would pass over, or take for something else than was meant. */
function* badLines(text: string): Generator<number> {
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const value = assignment.exec(line)?.groups?.['value'];
    const end = value === undefined ? undefined : lastLine(lines, index, value);
    if (end === undefined) yield index + 1;
    else index = end;
  }
}

/** The line in which a value ends; undefined where its quote is never closed. */
function lastLine(lines: readonly string[], first: number, value: string): number | undefined {
  const [quote = ''] = value;
  if (!['"', "'", '`'].includes(quote) || value.indexOf(quote, 1) > 0) return first;
  const rest = lines.slice(first + 1).findIndex((line) => line.includes(quote));
  return rest < 0 ? undefined : first + 1 + rest;
}
