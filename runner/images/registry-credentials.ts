import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { SluiceError, messageOf } from '../model/errors.ts';

/** What a registry takes for proof; `identityToken` is exchanged for others (OAuth 2). */
export type Credential = { readonly username: string; readonly password: string } | { readonly identityToken: string };

/** The credential for a repository of a registry; undefined: nobody in particular. */
export type Credentials = (host: string, repository: string) => Credential | undefined;

const hint = 'It is a config.json as `docker login`, `podman login` or a Secret of type dockerconfigjson has it.';

/**
 * Credentials of the file that somebody named, which has to be there, or else of the usual one, which need not be: then
 * there are none.
 */
export async function openCredentials({ named, usual }: CredentialFiles): Promise<Credentials> {
  if (named !== undefined) return readCredentials(named);
  if (usual !== undefined && existsSync(usual)) return readCredentials(usual);
  return () => undefined;
}

/** Paths of files with credentials for registries. */
export interface CredentialFiles {
  readonly named?: string | undefined;
  readonly usual?: string | undefined;
}

/**
 * Credentials of a `config.json` or `auth.json`: `auths` by registry or by a path in it, the longest path first
 * (containers-auth.json(5)). ERR_UNREADABLE names the file and never a value.
 */
export async function readCredentials(file: string): Promise<Credentials> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new SluiceError('ERR_UNREADABLE', `Credentials for registries cannot be read: ${messageOf(error)}`, {
      hint: 'REGISTRY_AUTH_FILE names the file.',
      cause: error,
    });
  });
  const auths = readAuths(text, file);
  return (host, repository) => {
    const parts = [host, ...repository.split('/')];
    const keys = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
    return keys.map((key) => auths.get(key)).find((found) => found !== undefined);
  };
}

function readAuths(text: string, file: string): ReadonlyMap<string, Credential> {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw new SluiceError('ERR_UNREADABLE', `${file} is no JSON`, { hint });
  }
  const auths = new Map<string, Credential>();
  for (const [name, entry] of Object.entries(fieldOf(config, 'auths') ?? {})) {
    const credential = credentialOf(entry, name, file);
    if (credential) auths.set(keyOf(name), credential);
  }
  return auths;
}

/** `https://index.docker.io/v1/` is how Docker calls its own registry; other names may have a scheme and a version too. */
function keyOf(name: string): string {
  const bare = name.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
  return bare === 'index.docker.io' || bare === 'registry-1.docker.io' ? 'docker.io' : bare;
}

/** Undefined for an empty entry, which is what a credential helper leaves behind. */
function credentialOf(entry: unknown, name: string, file: string): Credential | undefined {
  const [identity, auth] = [fieldOf(entry, 'identitytoken'), fieldOf(entry, 'auth')];
  if (typeof identity === 'string' && identity !== '') return { identityToken: identity };
  if (typeof auth !== 'string' || auth === '') return namedCredential(entry);
  const [, username, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? [];
  if (username === undefined || password === undefined) {
    throw new SluiceError(
      'ERR_UNREADABLE',
      `auths[${JSON.stringify(name)}].auth of ${file} is no base64 of USER:PASSWORD`,
      {
        hint,
      },
    );
  }
  return { username, password };
}

function namedCredential(entry: unknown): Credential | undefined {
  const [username, password] = [fieldOf(entry, 'username'), fieldOf(entry, 'password')];
  return typeof username === 'string' && typeof password === 'string' ? { username, password } : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
