import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { clusterTest, freshNamespace, imageOf, kubectl, waitFor } from './test-cluster.ts';

const home = process.env['E2E_CLUSTER_HOME'];

clusterTest('a pod finds the API server by name', async (t) => {
  const namespace = await freshNamespace(t, 'names');
  const args = [
    'sh',
    '-c',
    'nslookup kubernetes.default.svc.cluster.local && nc -w 5 kubernetes.default 443 </dev/null',
  ];
  const securityContext = {
    runAsUser: 1000,
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  await kubectl(['create', '-n', namespace, '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'asks' },
    spec: { restartPolicy: 'Never', containers: [{ name: 'asks', image: imageOf('busybox'), args, securityContext }] },
  });
  await t.notThrowsAsync(waitFor(['pod/asks', '-n', namespace], 'jsonpath={.status.phase}=Succeeded'));
});

(home === undefined ? test.skip : test)('every write stands in the audit log, without what was written', async (t) => {
  const namespace = await freshNamespace(t, 'audit');
  await kubectl(['create', 'secret', 'generic', 'written', '-n', namespace, '--from-literal=key=not-for-the-log']);
  await kubectl(['delete', 'secret', 'written', '-n', namespace]);
  const log = readFileSync(join(home ?? '', 'logs', 'audit.log'), 'utf8');
  const verbs = log
    .split('\n')
    .filter((line) => line.includes(`"namespace":"${namespace}","name":"written"`))
    .map((line) => (JSON.parse(line) as { readonly verb: string }).verb);
  t.deepEqual(verbs, ['create', 'delete']);
  t.false(log.includes('not-for-the-log'));
});
