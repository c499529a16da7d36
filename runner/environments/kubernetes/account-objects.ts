import type { Draft, OtherObject } from '../../cluster/objects.ts';
import type { GateAccount } from '../../model/operations.ts';
import { managed } from './names.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const rule = (group: string, resources: readonly string[], verbs: readonly string[]): Rule => ({
  apiGroups: [group],
  resources,
  verbs,
});

const read = ['get', 'list'] as const;
const write = ['get', 'list', 'create', 'patch', 'delete'] as const;

/** Records of releases, and what passed on them. */
const records = rule('', ['configmaps'], ['get', 'list', 'create', 'patch']);

/** Jobs of tasks, and what they wrote. */
export const tasks: readonly Rule[] = [
  rule('batch', ['jobs'], write),
  rule('', ['pods', 'events'], read),
  rule('', ['pods/log'], ['get']),
];

const deploy: readonly Rule[] = [
  records,
  rule('', ['services'], write),
  rule('', ['pods', 'events'], read),
  rule('', ['pods/log'], ['get']),
  rule('apps', ['deployments'], write),
  rule('gateway.networking.k8s.io', ['httproutes'], write),
];

/**
 * What each gate may do in the namespace; none may read a Secret through the API. The account of scripts, `default`, may do nothing at all.
 */
const rules: Readonly<Record<GateAccount, readonly Rule[]>> = {
  'run-tests': [records, rule('gateway.networking.k8s.io', ['httproutes'], read)],
  migrate: [records, ...tasks],
  'deploy-test': [...deploy, rule('batch', ['jobs'], write)],
  promote: [...deploy, rule('batch', ['jobs'], write)],
};

/** Resources by plural, as `resources.ts` names them. */
export interface AccountObjects {
  readonly serviceAccounts: readonly Draft<OtherObject>[];
  readonly roles: readonly Draft<OtherObject>[];
  readonly roleBindings: readonly Draft<OtherObject>[];
}

export function accountObjects(namespace: string): AccountObjects {
  const accounts = Object.entries(rules);
  const metadata = (name: string) => ({ metadata: { name, labels: managed } });
  return {
    serviceAccounts: accounts.map(([name]) => ({ ...metadata(name), automountServiceAccountToken: false })),
    roles: accounts.map(([name, own]) => ({ ...metadata(name), rules: own })),
    roleBindings: accounts.map(([name]) => ({
      ...metadata(name),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    })),
  };
}
