import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubectl } from './kubectl.ts';

const group = 'rbac.authorization.k8s.io';

/** What docs/kubernetes.md says that the runner's account needs. */
const rules = [
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'get', 'list', 'delete'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch', 'delete'] },
  { apiGroups: [''], resources: ['events'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['create', 'get'] },
];

/** Makes an account in a namespace, with those rights there. */
export function createAccount(namespace: string, name: string, rules: readonly object[]): void {
  const metadata = { name, namespace };
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
  const role = { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules };
  const binding = {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: group, kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  };
  for (const object of [account, role, binding]) kubectl(['create', '-f', '-'], object);
}

/** Makes the account of a runner with no more rights than it is documented to need, and answers a kubeconfig of it below `folder`. */
export function runnerAccount(namespace: string, folder: string): string {
  createAccount(namespace, 'runner', rules);
  const token = kubectl(['-n', namespace, 'create', 'token', 'runner']);
  const config = JSON.parse(kubectl(['config', 'view', '--minify', '--raw', '-o', 'json'])) as {
    readonly clusters: readonly { readonly name: string; readonly cluster: object }[];
  };
  const name = config.clusters[0]?.name;
  const file = join(folder, `${namespace}.kubeconfig`);
  const own = {
    ...config,
    users: [{ name: 'runner', user: { token: token.trim() } }],
    contexts: [{ name: 'runner', context: { cluster: name, user: 'runner', namespace } }],
    'current-context': 'runner',
  };
  writeFileSync(file, JSON.stringify(own));
  return file;
}
