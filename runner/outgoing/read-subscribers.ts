import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf, SluiceError } from '../model/errors.ts';
import { readSigningKey } from '../triggers/standard-webhooks.ts';
import type { AddressRules } from './address-rules.ts';
import type { Subscriber } from './event-message.ts';

/** A subscriber as the configuration names it. */
export interface NamedSubscriber extends Subscriber {
  readonly name: string;
  /** Whose runs it is told of; undefined for those of all repositories. */
  readonly repositories: readonly string[] | undefined;
  /** Its host may be in a private network. */
  readonly private: boolean;
}

const known: readonly string[] = ['name', 'url', 'secretFile', 'repositories', 'private'];

/** Who is told of the ends of runs, from a JSON file. ERR_USAGE names the file, the place in it and the next step. */
export async function readSubscribers(path: string): Promise<readonly NamedSubscriber[]> {
  const list = parse(path, await read(path, path, 'Give the path of a file that can be read in SLUICE_SUBSCRIBERS.'));
  if (!Array.isArray(list)) throw wrong(path, 'it', 'is no list', 'Write [{ "name", "url", "secretFile" }, …].');
  const subscribers: NamedSubscriber[] = [];
  for (const [index, entry] of (list as readonly unknown[]).entries()) {
    const subscriber = await readSubscriber(path, `[${index}]`, entry);
    if (subscribers.some(({ name }) => name === subscriber.name))
      throw wrong(path, `[${index}].name`, 'is there twice', 'Give each subscriber a name of its own.');
    subscribers.push(subscriber);
  }
  return subscribers;
}

/** Where messages to the subscribers may go. */
export function rulesFor(subscribers: readonly NamedSubscriber[]): AddressRules {
  const hostsOf = (list: readonly NamedSubscriber[]) => list.map(({ url }) => new URL(url).host);
  return {
    hosts: hostsOf(subscribers.filter((one) => !one.private)),
    privateHosts: hostsOf(subscribers.filter((one) => one.private)),
  };
}

async function readSubscriber(path: string, place: string, entry: unknown): Promise<NamedSubscriber> {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    throw wrong(path, place, 'is no object', 'Write { "name", "url", "secretFile" }.');
  const fields: Readonly<Record<string, unknown>> = { ...entry };
  const stranger = Object.keys(fields).find((key) => !known.includes(key));
  if (stranger !== undefined)
    throw wrong(path, `${place}.${stranger}`, 'is not known', `There are ${known.join(', ')}.`);
  const { repositories, private: mayBePrivate = false } = fields;
  const [name, url, secretFile] = ['name', 'url', 'secretFile'].map((key) => {
    const value = fields[key];
    if (typeof value === 'string' && value !== '') return value;
    throw wrong(path, `${place}.${key}`, 'is missing or no text', 'Give it as a text in quotes.');
  }) as [string, string, string];
  const address = URL.parse(url);
  if (!address || !/^https?:$/.test(address.protocol) || address.username !== '' || address.password !== '')
    throw wrong(path, `${place}.url`, 'is no address', 'Give the whole one, https://…, without credentials.');
  if (repositories !== undefined && !isNames(repositories))
    throw wrong(path, `${place}.repositories`, 'is no list of names', 'Leave it out for all repositories.');
  if (typeof mayBePrivate !== 'boolean')
    throw wrong(path, `${place}.private`, 'is neither true nor false', 'Write true for a host in your own network.');
  const file = resolve(dirname(path), secretFile);
  const where = `${place}.secretFile`;
  const secret = (
    await read(file, `${path}: ${where} ${file}`, 'A relative path begins at the folder of the list.')
  ).trim();
  if (!readSigningKey(secret))
    throw wrong(path, where, 'holds no signing secret', 'It is "whsec_" and at least 24 random bytes in base64.');
  return { name, url, secret, repositories, private: mayBePrivate };
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

async function read(file: string, spoken: string, hint: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SluiceError('ERR_USAGE', `${spoken} cannot be read: ${messageOf(cause)}`, { hint, cause });
  });
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SluiceError('ERR_USAGE', `${path} is no JSON: ${messageOf(cause)}`, {
      hint: 'Mend it where the message says; docs/server.md has an example.',
      cause,
    });
  }
}

function wrong(path: string, place: string, what: string, hint: string): SluiceError {
  return new SluiceError('ERR_USAGE', `${path}: ${place} ${what}`, { hint });
}
