import { randomBytes } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { clusterTest, freshNamespace, imageOf, kubectl, waitFor } from '../cluster/test-cluster.ts';

/** As pods and the node know the registry of the test cluster. */
const registry = 'registry.sluice.test:5000';

const containerfile = `FROM ${registry}/${imageOf('busybox').split('/')[1] ?? ''}
COPY greeting /greeting
RUN ["sh", "-c", "echo made by $(id -u) >> /greeting && chown 1234:1234 /greeting"]
USER 1000:1000
CMD ["cat", "/greeting"]
`;

/** What a pod that builds needs, and not a right more. */
const building = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: true,
  capabilities: { drop: ['ALL'], add: ['SETUID', 'SETGID'] },
};

const running = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

function podThatBuilds(into: string): object {
  const container = {
    name: 'build',
    image: imageOf('buildah'),
    args: ['build-image', '/context', into],
    env: [{ name: 'SLUICE_PLAIN_HTTP_REGISTRIES', value: registry }],
    securityContext: building,
    volumeMounts: [{ name: 'context', mountPath: '/context' }],
  };
  const volumes = [{ name: 'context', configMap: { name: 'context' } }];
  return { restartPolicy: 'Never', automountServiceAccountToken: false, containers: [container], volumes };
}

/** Builds in a namespace of its own, and answers the image. */
async function build(t: ExecutionContext): Promise<string> {
  const namespace = await freshNamespace(t, 'build', 'baseline');
  const data = { Containerfile: containerfile, greeting: 'hello\n' };
  const context = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'context' }, data };
  await kubectl(['create', '-n', namespace, '-f', '-'], context);
  const into = `${registry}/test/built-${randomBytes(4).toString('hex')}:v1`;
  const spec = { backoffLimit: 0, template: { spec: podThatBuilds(into) } };
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'build' }, spec };
  await kubectl(['create', '-n', namespace, '-f', '-'], job);
  await waitFor(['job/build', '-n', namespace], 'jsonpath={.status.conditions[*].type}');
  const log = await kubectl(['logs', 'job/build', '-n', namespace]);
  t.log(log);
  return log.trim().split('\n').at(-1) ?? '';
}

clusterTest(
  'a Containerfile is built in a Job of user 1000, and its image runs under the strictest rules',
  async (t) => {
    const image = await build(t);
    t.regex(image, /^registry\.sluice\.test:5000\/test\/built-[0-9a-f]+@sha256:[0-9a-f]{64}$/);
    const namespace = await freshNamespace(t, 'built');
    const containers = [{ name: 'app', image, securityContext: running }];
    const spec = { restartPolicy: 'Never', automountServiceAccountToken: false, containers };
    await kubectl(['create', '-n', namespace, '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'app' },
      spec,
    });
    await waitFor(['pod/app', '-n', namespace], 'jsonpath={.status.phase}=Succeeded');
    t.is(await kubectl(['logs', 'app', '-n', namespace]), 'hello\nmade by 0\n');

    const again = await build(t);
    t.is(again.split('@')[1], image.split('@')[1], 'the same Containerfile makes the same image');
  },
);

clusterTest('where Pod Security is restricted, the pod that builds is not admitted', async (t) => {
  const namespace = await freshNamespace(t, 'build');
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'build' },
    spec: podThatBuilds(`${registry}/test/none`),
  };
  await t.throwsAsync(kubectl(['create', '-n', namespace, '-f', '-'], pod), {
    message: /violates PodSecurity "restricted.*allowPrivilegeEscalation.*seccompProfile/s,
  });
});
