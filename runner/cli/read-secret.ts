import { readFile } from 'node:fs/promises';
import { messageOf, SluiceError } from '../model/errors.ts';

/** The token or secret in a file, without the white space around it. ERR_UNREADABLE says why and names the option. */
export async function readSecret(path: string, option: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SluiceError('ERR_UNREADABLE', `The file of ${option} cannot be read: ${messageOf(cause)}`, {
      hint: 'Name a file that you may read; it holds the secret and nothing else.',
      cause,
    });
  });
  const secret = text.trim();
  if (secret !== '') return secret;
  throw new SluiceError('ERR_UNREADABLE', `The file ${path} of ${option} is empty.`, {
    hint: 'Write the secret into it, and nothing else.',
  });
}
