import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { newClusters, newContexts, newUsers } from '@kubernetes/client-node/dist/config_types.js';
import type { Cluster, Context, User } from '@kubernetes/client-node/dist/config_types.js';
import { parse } from 'yaml';
import { SluiceError, messageOf } from '../model/errors.ts';
import { isRecord } from './read-object.ts';

/** What a context names. All paths are absolute. */
export interface Target {
  readonly cluster: Cluster;
  readonly user: User;
  /** Where objects go when nobody says otherwise. */
  readonly namespace: string;
}

interface Kubeconfig {
  readonly clusters: readonly Cluster[];
  readonly users: readonly User[];
  readonly contexts: readonly Context[];
  readonly current: string | undefined;
}

/**
 * The target of a context, or of the current one, from kubeconfig files. As with kubectl the first file that has a name
 * wins, and so does the first current context. ERR_USAGE names the file and what is wrong with it.
 */
export async function readKubeconfig(files: readonly string[], context: string | undefined): Promise<Target> {
  const configs = await Promise.all(files.map(readOne));
  const where = files.join(', ');
  const wanted = context ?? configs.find(({ current }) => current)?.current;
  if (wanted === undefined) throw broken(`no current-context in ${where}`, 'Give one with --context.');
  const all = configs.flatMap(({ contexts }) => contexts);
  const chosen = all.find(({ name }) => name === wanted);
  if (!chosen) throw broken(`no context ${JSON.stringify(wanted)} in ${where}`, known(all));
  const cluster = configs.flatMap(({ clusters }) => clusters).find(({ name }) => name === chosen.cluster);
  if (!cluster)
    throw broken(`no cluster ${JSON.stringify(chosen.cluster)}, which context ${wanted} names, in ${where}`);
  const user = configs.flatMap(({ users }) => users).find(({ name }) => name === chosen.user);
  if (!user) throw broken(`no user ${JSON.stringify(chosen.user)}, which context ${wanted} names, in ${where}`);
  return { cluster, user, namespace: chosen.namespace ?? 'default' };
}

async function readOne(file: string): Promise<Kubeconfig> {
  try {
    const value: unknown = parse(await readFile(file, 'utf8'));
    if (!isRecord(value)) throw new TypeError('it is empty');
    const { clusters, users, contexts, 'current-context': current } = value;
    const folder = dirname(resolve(file));
    return {
      clusters: newClusters(clusters).map((cluster) => placeCluster(cluster, folder)),
      users: newUsers(usersWithTokenFile(users, folder)).map((user) => placeUser(user, folder)),
      contexts: newContexts(contexts),
      current: typeof current === 'string' && current !== '' ? current : undefined,
    };
  } catch (error) {
    throw broken(`cannot read the kubeconfig ${file}: ${messageOf(error)}`, 'Check the path and the file.', error);
  }
}

/** client-node reads a token file once and under another name; its authenticator for token files reads it again. */
function usersWithTokenFile(users: unknown, folder: string): unknown {
  if (!Array.isArray(users)) return users;
  return users.map((entry: unknown) => {
    if (!isRecord(entry) || !isRecord(entry['user'])) return entry;
    const { tokenFile } = entry['user'];
    if (typeof tokenFile !== 'string') return entry;
    const config = { tokenFile: resolve(folder, tokenFile) };
    return { ...entry, user: { ...entry['user'], token: undefined, 'auth-provider': { name: 'tokenFile', config } } };
  });
}

function placeCluster(cluster: Cluster, folder: string): Cluster {
  return cluster.caFile ? { ...cluster, caFile: resolve(folder, cluster.caFile) } : cluster;
}

/** Relative paths count from the kubeconfig; a plugin without a slash is found on PATH. */
function placeUser(user: User, folder: string): User {
  const exec: unknown = user.exec;
  return {
    ...user,
    ...(user.certFile ? { certFile: resolve(folder, user.certFile) } : {}),
    ...(user.keyFile ? { keyFile: resolve(folder, user.keyFile) } : {}),
    ...(isRecord(exec) ? { exec: placeExec(exec, folder) } : {}),
  };
}

function placeExec(exec: Readonly<Record<string, unknown>>, folder: string): Readonly<Record<string, unknown>> {
  const { command } = exec;
  return typeof command === 'string' && command.includes('/') ? { ...exec, command: resolve(folder, command) } : exec;
}

function known(contexts: readonly Context[]): string {
  return `There are: ${contexts.map(({ name }) => name).join(', ') || 'none'}.`;
}

function broken(message: string, hint?: string, cause?: unknown): SluiceError {
  return new SluiceError('ERR_USAGE', message, { ...(hint === undefined ? {} : { hint }), cause });
}
