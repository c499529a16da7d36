import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { messageOf, SluiceError } from '../model/errors.ts';

/** NAME=value lines; values may be quoted and then span lines. ERR_USAGE names the file, never a value. */
export async function readSecretsFile(path: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new SluiceError('ERR_USAGE', `cannot read the secrets file ${path}: ${messageOf(error)}`, {
      hint: 'Give the path of a file with NAME=value lines.',
      cause: error,
    });
  });
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (value) secrets[name] = value;
  }
  return secrets;
}
