import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../model/errors.ts';
import { makeFolder } from './make-folder.ts';
import { hasCode } from './system-error.ts';

/** In the data folder, and no part of a backup of it. */
export const secretKeyFile = 'secret.key';

const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;

/** Seals texts for the database: who reads that or a backup of it, without the key, learns nothing (trust.md, T-25). */
export interface SecretBox {
  /** `context` names what the text belongs to; sealed text that is moved elsewhere cannot be opened. */
  seal(text: string, context: string): string;
  /** ERR_SEALED when it was changed, moved, or sealed with another key. */
  open(sealed: string, context: string): string;
}

/** AES-256-GCM with the key in the data folder, which is made once and readable by its owner only. */
export async function openSecretBox(folder: string): Promise<SecretBox> {
  const path = join(folder, secretKeyFile);
  await makeFolder(folder);
  if (!existsSync(path)) await makeKey(path);
  const key = Buffer.from(await readFile(path, 'utf8'), 'base64');
  if (key.length !== keyBytes)
    throw new SluiceError('ERR_CORRUPT', `${path} is no key of ${keyBytes} bytes.`, {
      hint: 'Restore it from a backup; without it the secrets of repositories have to be given again.',
    });
  return { seal: (text, context) => seal(key, text, context), open: (sealed, context) => open(key, sealed, context) };
}

/** Whole or not at all, for whoever makes it at the same moment, and after a crash. */
async function makeKey(path: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, randomBytes(keyBytes).toString('base64'), { mode: 0o600, flush: true });
    await link(draft, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function seal(key: Buffer, text: string, context: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
}

function open(key: Buffer, sealed: string, context: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new SluiceError('ERR_SEALED', `The secrets of ${context} cannot be opened with the key at hand.`, {
      hint: 'Use the secret.key of the data folder that sealed them, or give them again.',
      cause,
    });
  }
}
