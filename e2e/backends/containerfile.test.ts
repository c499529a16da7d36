import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { connectCluster } from '../../runner/cluster/connect.ts';
import { confinedJob } from '../../runner/environments/kubernetes/confined-job.ts';
import { runBuild } from '../../runner/environments/kubernetes/run-build.ts';
import { runJob, taskLabels } from '../../runner/environments/kubernetes/run-task.ts';
import { imageOf, kubectl } from '../cluster/test-cluster.ts';
import { manifestDigest, statementOf } from './registry.ts';
import { backendTest, decided, inPods, stepOf, TestBackend, verdicts } from './test-backend.ts';

/** Its `RUN` writes what the app answers: nothing but a build makes that file. */
const containerfile = (command = 'true'): string => `# The words, as an image
ARG BASE=${inPods(imageOf('python-3.11'))}
FROM \${BASE}
USER root
WORKDIR /srv
COPY server.py ./

RUN echo "built by $(id -u)" > built && \\
    ${command}
USER 1000:1000
CMD ["python3", "server.py"]
`;

interface Owned {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly creationTimestamp: string;
  };
}

const buildsOf = async (backend: TestBackend): Promise<readonly Owned[]> => {
  const found = await kubectl(['-n', `${backend.name}-build`, 'get', 'jobs', '-o', 'json', '--ignore-not-found']);
  return (JSON.parse(found) as { readonly items: readonly Owned[] }).items;
};

/** The gate that builds, alone. */
const building = 'steps: { deploy-test: { uses: deploy-test } }\n';

/** A backend whose service says by its Containerfile alone how it is made and started. */
async function builtBackend(t: ExecutionContext, command?: string): Promise<TestBackend> {
  const backend = await TestBackend.open(t, 'python');
  const [from, into] = ['start: python3 server.py', 'containerfile: Containerfile'];
  const server = backend.read('server.py').replace('{"healthy": True}', '{"healthy": open("built").read()}');
  const whole = backend.pipeline([from, into]);
  const pipeline = command === undefined ? whole : whole.replace(/^steps:[^]*/m, building);
  await backend.commit({ 'sluice.yaml': pipeline, 'server.py': server, Containerfile: containerfile(command) });
  return backend;
}

backendTest(
  'a service with a Containerfile is built by a Job beside its namespace, tested, and promoted as the same digest',
  async (t) => {
    const backend = await builtBackend(t);
    const report = await backend.run();
    t.is(report.outcome, 'succeeded', `${verdicts(report)}\n${await backend.log(report.runId, 'deploy-test/build')}`);
    const image = (await backend.release('r1'))?.services[0]?.image ?? '';
    t.true(image.startsWith(`${inPods('localhost:5000')}/${backend.name}/web@sha256:`), image);
    t.is(await manifestDigest(image), image.slice(image.indexOf('@') + 1));
    t.deepEqual(await backend.images(), { 'test-web-r1': image, 'web-r1': image });
    t.like(await backend.ask('/healthz'), { status: 200, release: 'r1', body: '{"healthy": "built by 0\\n"}' });
    t.regex(await backend.log(report.runId, 'deploy-test/build'), /STEP 5\/7: RUN echo "built by/);

    // What may build may nothing else, and belongs to the backend.
    const namespace = JSON.parse(
      await kubectl(['get', 'namespace', `${backend.name}-build`, '-o', 'json']),
    ) as Owned & {
      readonly metadata: { readonly ownerReferences: readonly { readonly kind: string; readonly name: string }[] };
    };
    t.is(namespace.metadata.labels?.['pod-security.kubernetes.io/enforce'], 'baseline');
    t.like(namespace.metadata.ownerReferences[0], { kind: 'Namespace', name: backend.name });
    const as = (verb: string, resource: string, account: string) =>
      kubectl([
        'auth',
        'can-i',
        verb,
        resource,
        '-n',
        `${backend.name}-build`,
        '--as',
        `system:serviceaccount:${account}`,
      ])
        .then(() => true)
        .catch(() => false);
    t.true(await as('create', 'jobs', `${backend.name}:deploy-test`));
    for (const account of [`${backend.name}-build:default`, `${backend.name}:default`, `${backend.name}:promote`]) {
      t.false(await as('create', 'jobs', account), account);
      t.false(await as('get', 'secrets', account), account);
    }

    // Provenance names what it was made of.
    const statement = await statementOf(image);
    t.is(statement.subject[0]?.digest['sha256'], image.slice(image.indexOf('@sha256:') + 8));
    const { buildType, externalParameters, resolvedDependencies } = statement.predicate.buildDefinition;
    t.is(buildType, 'https://sluice.dev/build-types/containerfile/v1');
    t.like(externalParameters, { containerfile: 'Containerfile' });
    t.deepEqual(
      resolvedDependencies.map(({ uri }) => uri.replace(/@.*/, '')),
      ['Containerfile', 'pkg:oci/web-context', 'pkg:oci/python-3.11'],
    );
  },
);

backendTest(
  'a Containerfile with a mistake ends the gate with its line: one that can be read before, and one that only a build finds',
  async (t) => {
    // Much more is printed than is kept, by a command that ends as a missing one does.
    const backend = await builtBackend(t, 'seq 2000 && echo "STEP 1/1: FROM nothing" && nonesuch');
    const failed = await backend.run();
    t.like(decided(failed), { outcome: 'failed', step: 'deploy-test/build', reason: 'gate_refused' });
    t.regex(
      stepOf(failed, 'deploy-test/build').message ?? '',
      /^Containerfile:8: RUN echo .* && +seq 2000 .* && nonesuch: exit status 127$/,
    );
    t.is(stepOf(failed, 'deploy-test/build').attempts.length, 1);
    t.is(stepOf(failed, 'deploy-test/deploy').outcome, 'skipped');

    const builds = (await buildsOf(backend)).length;
    await backend.commit({ Containerfile: containerfile().replace('WORKDIR', 'WORKDIRR') });
    const misread = await backend.run();
    t.like(decided(misread), { outcome: 'failed', step: 'deploy-test/build', reason: 'gate_refused' });
    t.regex(stepOf(misread, 'deploy-test/build').message ?? '', /Containerfile:5:1: Unknown instruction: WORKDIRR/);
    t.is((await buildsOf(backend)).length, builds);
  },
);

backendTest('a build goes on when the step that asked for it loses its pod, and is not begun anew', async (t) => {
  const backend = await builtBackend(t, 'sleep 8');
  const running = backend.begin('run');
  const deadline = Date.now() + 90_000;
  while ((await buildsOf(backend).catch(() => [])).length === 0 && Date.now() < deadline) await sleep(500);
  const pods = await backend.objects<Owned>('pods', '-l', 'sluice.dev/attempt');
  t.is(pods.length, 1, 'one step is under way');
  const [build] = await buildsOf(backend);
  await backend.kubectl(['delete', 'pod', pods[0]?.metadata.name ?? '', '--grace-period=1']);
  const report = await running.report();
  t.is(report.outcome, 'succeeded', verdicts(report));
  t.is(stepOf(report, 'deploy-test/build').attempts.length, 2);
  t.deepEqual(
    (await buildsOf(backend)).map(({ metadata }) => metadata.name),
    [build?.metadata.name ?? ''],
  );
});

backendTest('a build ends when the run that asked for it is cancelled', async (t) => {
  const backend = await builtBackend(t, 'sleep 600');
  const running = backend.begin('run');
  const deadline = Date.now() + 90_000;
  const isBuilding = async () => (await buildsOf(backend).catch(() => [])).length > 0;
  while (!(await isBuilding()) && Date.now() < deadline) await sleep(500);
  running.child.kill('SIGINT');
  t.is((await running.report()).outcome, 'cancelled');
  while ((await isBuilding()) && Date.now() < deadline) await sleep(500);
  t.false(await isBuilding());
});

backendTest('where admission refuses the pod of a build, that is said at once', async (t) => {
  const name = `refused-${randomBytes(4).toString('hex')}`;
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const metadata = { name: `${name}-build`, labels };
  await kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Namespace', metadata });
  t.teardown(() => kubectl(['delete', 'namespace', `${name}-build`, '--wait=false']));
  const cluster = await connectCluster({ inCluster: undefined, kubeconfig: process.env['KUBECONFIG'] });
  t.teardown(() => cluster.close());
  const signal = AbortSignal.timeout(60_000);
  const order = { backend: { name, services: [] }, service: 'web', run: 'run', args: [], plainHttp: [], signal };
  const refused = await t.throwsAsync(runBuild(cluster, { ...order, image: imageOf('buildah') }));
  t.regex(refused.message, /cannot start: .*(?:PodSecurity|Pod Security)/);
});

backendTest('what takes longer than it may is told from what was taken away', async (t) => {
  const namespace = `late-${randomBytes(4).toString('hex')}`;
  await kubectl(['create', 'namespace', namespace]);
  t.teardown(() => kubectl(['delete', 'namespace', namespace, '--wait=false']));
  const cluster = await connectCluster({ inCluster: undefined, kubeconfig: process.env['KUBECONFIG'] });
  t.teardown(() => cluster.close());
  const end = (name: string, timeoutMs: number) => {
    const container = {
      name: 'task',
      image: imageOf('busybox'),
      command: ['sh', '-c', 'trap "exit 143" TERM; sleep 600 & wait'],
    };
    const job = confinedJob({ name, labels: taskLabels(name, name), timeoutMs, container });
    return runJob(cluster, namespace, { name, group: name, signal: AbortSignal.timeout(180_000) }, job);
  };
  t.like(await end('late', 3_000), { exceeded: 'time' });
  const ended = end('ended', 600_000);
  await kubectl(['-n', namespace, 'wait', '--for=create', 'job/ended', '--timeout=60s']);
  await kubectl(['-n', namespace, 'delete', 'job', 'ended', '--wait=false']);
  t.is((await ended).exceeded, undefined);
});

backendTest('where builds are not configured, a Containerfile is refused before the run starts', async (t) => {
  const backend = await builtBackend(t);
  delete backend.env['SLUICE_BUILDS'];
  const said = await backend.begin('run').refusal();
  t.regex(said, /step-unsupported/);
  t.regex(said, /a place that Containerfiles are built in/);
  t.regex(said, /SLUICE_BUILDS=baseline/);
});
