import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { Cluster, User } from '@kubernetes/client-node/dist/config_types.js';
import { messageOf } from '../model/errors.ts';
import type { Access, Credentials, TlsMaterial } from './access.ts';
import { ClusterError } from './cluster-error.ts';
import { loginOf } from './login.ts';
import type { Login } from './login.ts';
import type { Target } from './read-kubeconfig.ts';
import { isRecord } from './read-object.ts';

/** Files and plugins are asked again after this long; a plugin that gave an expiry is run again only then. */
const defaultKeptMs = 10_000;

/** What a kubeconfig, or a service account folder, says about trust and identity. Rotated files are seen within seconds. */
export class KubeconfigCredentials implements Credentials {
  readonly #target: Target;
  readonly #pluginDeadlineMs: number;
  readonly #keptMs: number;
  #login: Promise<Login> | undefined;
  #asking: Promise<Access> | undefined;
  #known: { readonly access: Access; readonly until: number } | undefined;

  constructor(target: Target, { pluginDeadlineMs = 30_000, keptMs = defaultKeptMs } = {}) {
    this.#target = target;
    this.#pluginDeadlineMs = pluginDeadlineMs;
    this.#keptMs = keptMs;
  }

  async ask(): Promise<Access> {
    if (this.#known && performance.now() < this.#known.until) return this.#known.access;
    this.#asking ??= this.#fetch().finally(() => (this.#asking = undefined));
    return await this.#asking;
  }

  reject(access: Access): void {
    if (this.#known?.access !== access) return;
    this.#known = undefined;
    this.#login = undefined;
  }

  async #fetch(): Promise<Access> {
    const { cluster, user } = this.#target;
    try {
      const asked = performance.now();
      const access = cluster.server.startsWith('https:') ? await this.#secret() : { tls: {}, headers: {} };
      this.#known = { access, until: asked + this.#keptMs };
      return access;
    } catch (error) {
      this.#login = undefined;
      throw new ClusterError(
        `no credentials for user ${user.name} of cluster ${cluster.name}: ${complaint(error)}`,
        { status: 0, reason: 'NoCredentials', outcome: 'unsent' },
        pluginHint(user),
      );
    }
  }

  async #secret(): Promise<Access> {
    const { cluster, user } = this.#target;
    this.#login ??= loginOf(this.#target, this.#pluginDeadlineMs);
    const options: RequestOptions & { headers: Record<string, string> } = { headers: {} };
    await (
      await this.#login
    )(options);
    const { cert, key, headers } = options;
    const [ca, ownCert, ownKey] = await Promise.all([
      material(cluster.caFile, cluster.caData),
      material(user.certFile, user.certData),
      material(user.keyFile, user.keyData),
    ]);
    return {
      tls: tlsOf(cluster, { ca, cert: pem(cert) ?? ownCert, key: pem(key) ?? ownKey }),
      headers: { ...authorization(user, headers['Authorization']), ...impersonation(user) },
    };
  }
}

async function material(file: string | undefined, base64: string | undefined): Promise<Buffer | undefined> {
  if (file) return await readFile(file);
  return base64 ? Buffer.from(base64, 'base64') : undefined;
}

/** Plugins give PEM text. */
function pem(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

type Material = Buffer | string | undefined;

function tlsOf(cluster: Cluster, given: Readonly<Record<'ca' | 'cert' | 'key', Material>>): TlsMaterial {
  return {
    ...(given.ca === undefined ? {} : { ca: given.ca }),
    ...(given.cert === undefined ? {} : { cert: given.cert }),
    ...(given.key === undefined ? {} : { key: given.key }),
    ...(cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}),
    ...(cluster.skipTLSVerify ? { rejectUnauthorized: false } : {}),
  };
}

/** A token in a file ends with a line feed as often as not. */
function authorization(user: User, login: string | undefined): Readonly<Record<string, string>> {
  if (user.token) return { authorization: `Bearer ${user.token.trim()}` };
  if (login !== undefined) return { authorization: login.trim() };
  if (!user.username) return {};
  return { authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}` };
}

function impersonation(user: User): Readonly<Record<string, string>> {
  return user.impersonateUser ? { 'impersonate-user': user.impersonateUser } : {};
}

/** What a plugin wrote to its error stream, or why a file cannot be read. An error of JSON quotes what may be a token. */
function complaint(error: unknown): string {
  if (error instanceof SyntaxError || error instanceof TypeError) return 'its plugin printed no ExecCredential';
  return messageOf(error).trim() || 'its plugin failed, or was stopped for taking too long, without a word';
}

/** Many kubeconfigs say how to get a plugin that is missing. */
function pluginHint(user: User): { readonly hint?: string } {
  const hint: unknown = isRecord(user.exec) ? user.exec['installHint'] : undefined;
  return typeof hint === 'string' ? { hint } : {};
}
