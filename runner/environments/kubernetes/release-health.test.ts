import test from 'ava';
import { json, ScriptedServer } from '../../cluster/scripted-server-fixture.ts';
import type { Reply } from '../../cluster/scripted-server-fixture.ts';
import type { Release } from '../release.ts';
import { releaseHealth } from './release-health.ts';

const release: Release = {
  name: 'r7',
  run: 'run',
  commit: 'c'.repeat(40),
  branch: 'main',
  actor: 'ada',
  createdAt: '2026-01-01T00:00:00Z',
  services: [{ name: 'api', image: 'api', start: 'serve', port: 3000, replicas: 2, env: {} }],
};

const metadata = (name: string) => ({ name, namespace: 'tasks', uid: `uid-${name}`, resourceVersion: '1' });

const deployment = (available: number): Reply =>
  json({
    metadata: { ...metadata('api-r7'), generation: 1 },
    spec: { replicas: 2 },
    status: {
      observedGeneration: 1,
      availableReplicas: available,
      readyReplicas: available,
      updatedReplicas: 2,
    },
  });

const list = (...items: readonly object[]): Reply => json({ metadata: { resourceVersion: '9' }, items });

const pod = (name: string, ready: boolean): object => ({
  metadata: { ...metadata(name), creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { nodeName: 'node-1', containers: [{ name: 'app' }] },
  status: { phase: 'Running', containerStatuses: [{ name: 'app', ready, restartCount: 0, state: { running: {} } }] },
});

const asked = ({ received }: ScriptedServer): readonly string[] =>
  received.map(({ path, query }) => `${path} ${query.get('fieldSelector') ?? ''}`.trim());

test('a release that is well is looked at with one request a service', async (t) => {
  const server = await ScriptedServer.start(t);
  const cluster = await server.connect(t);
  server.script(deployment(2));
  t.deepEqual(await releaseHealth(cluster, 'tasks', 'production', release), { state: 'healthy' });
  t.deepEqual(asked(server), ['/apis/apps/v1/namespaces/tasks/deployments/api-r7']);
});

test('events are asked for of the pods that are not ready, and of no others', async (t) => {
  const server = await ScriptedServer.start(t);
  const cluster = await server.connect(t);
  const told = {
    metadata: metadata('told'),
    type: 'Warning',
    reason: 'Unhealthy',
    message: 'Readiness probe failed: 503',
    involvedObject: { kind: 'Pod', uid: 'uid-late' },
  };
  server.script(deployment(1), list(pod('early', true), pod('late', false)), list(told));
  t.deepEqual(await releaseHealth(cluster, 'tasks', 'production', release), {
    state: 'starting',
    message: 'api: 1 of 2 ready; Readiness probe failed: 503',
  });
  t.deepEqual(asked(server), [
    '/apis/apps/v1/namespaces/tasks/deployments/api-r7',
    '/api/v1/namespaces/tasks/pods',
    '/api/v1/namespaces/tasks/events involvedObject.uid=uid-late',
  ]);
});
