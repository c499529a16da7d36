import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { freePort } from '../../runner/executors/local/free-port.ts';
import { startPostgres } from '../../runner/store/postgres/postgres-server-fixture.ts';
import { clusterTest, freshNamespace, imageOf, kubectl } from '../cluster/test-cluster.ts';
import { ownAddress } from '../faults/kubernetes/fault-site.ts';
import { PodRecorder } from '../faults/kubernetes/recorder.ts';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { Place } from './served.ts';

const perRunner = 2;
const wanted = 2 * perRunner;
/** Of one repository no more runs are under way than one server takes, whatever the number of servers. */
const repositories = ['orders', 'bills'];

const yaml = `pipeline: orders
runtime: ${process.env['E2E_IMAGES'] === undefined ? 'node-22' : imageOf('busybox')}
steps:
  first: { run: "for i in 1 2 3; do echo first $i; done; echo from first > file", outputs: [file] }
  long: { run: "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo long $i; sleep 0.25; done" }
  last: { needs: [first, long], run: "cat file" }
`;

/** Two servers that are not up yet, with data folders of their own, on one database and one folder of blobs. */
async function setUp(t: ExecutionContext, [ofFirst, ofSecond]: readonly NodeJS.ProcessEnv[] = []) {
  const namespace = await freshNamespace(t, 'two-runners');
  const recorder = new PodRecorder(namespace);
  t.teardown(() => recorder.close());
  const postgres = await startPostgres();
  t.teardown(() => postgres.remove());
  const variables = {
    SLUICE_EXECUTOR: 'kubernetes',
    SLUICE_NAMESPACE: namespace,
    SLUICE_AGENT_IMAGE: imageOf('agent'),
    SLUICE_DATABASE_URL: await postgres.database(),
    SLUICE_RUNNER_TTL: '5',
    SLUICE_RUNS: String(perRunner),
  };
  const [first, second] = await Promise.all([
    Place.open(t, { ...variables, ...ofFirst }),
    Place.open(t, { ...variables, ...ofSecond }),
  ]);
  const commit = await first.push(yaml);
  for (const name of repositories)
    await first.sluice('repository', 'add', name, '--forge', 'git', '--url', join(first.folder, 'shop.git'));
  const { secret } = (await first.sluice('token', 'create', '--name', 'test', '--role', 'admin')) as {
    readonly secret: string;
  };
  const [home, other] = [first, second].map(({ folder }) => join(folder, 'home')) as [string, string];
  await mkdir(other);
  await symlink(join(home, 'blobs'), join(other, 'blobs'));
  await cp(join(home, 'secret.key'), join(other, 'secret.key'));
  const ask = async (place: Place, path: string, body?: object): Promise<string> => {
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${place.url}${path}`, { headers, ...request });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  };
  return { namespace, recorder, first, second, commit, ask };
}

/** The runs that a server says it has taken, once it has as many as it takes. */
async function takenBy(place: Place): Promise<readonly string[]> {
  for (;;) {
    const lines = (await place.log()).split('\n').filter((line) => line.startsWith('{'));
    const told = lines.map((line) => JSON.parse(line) as { readonly message: string; readonly runId?: string });
    const taken = told.flatMap(({ message, runId }) => (message === 'run taken' && runId !== undefined ? [runId] : []));
    if (taken.length === perRunner) return taken;
    await sleep(100);
  }
}

interface Report {
  readonly phase: string;
  readonly outcome?: string;
}

async function untilEnded(read: () => Promise<string>): Promise<Report> {
  for (;;) {
    const report = JSON.parse(await read()) as Report;
    if (report.phase === 'finished') return report;
    await sleep(500);
  }
}

type Ask = Awaited<ReturnType<typeof setUp>>['ask'];

function logsOf(ask: Ask) {
  return (place: Place, runId: string, step: string, attempt = 1): Promise<string> =>
    ask(place, `/v1/runs/${runId}/steps/${step}/attempts/${attempt}/log`);
}

async function untilLogged(read: () => Promise<string>, text: string): Promise<void> {
  while (!(await read().catch(() => '')).includes(text)) await sleep(100);
}

const numbered = (step: string, count: number): string =>
  Array.from({ length: count }, (_, index) => `${step} ${index + 1}\n`).join('');

clusterTest(
  'I1, F-08: of two runners on PostgreSQL one is killed; the other ends its runs with the pods that are there, and shows every log',
  async (t) => {
    t.timeout(300_000);
    const { namespace, recorder, first, second, commit, ask } = await setUp(t);
    await Promise.all([first.serve(), second.serve()]);
    for (const repository of repositories)
      for (const place of [first, second]) await ask(place, '/v1/runs', { repository, commit });
    const [lost, kept] = await Promise.all([takenBy(first), takenBy(second)]);
    t.is(new Set([...lost, ...kept]).size, wanted, 'no run is driven twice');

    const logAt = logsOf(ask);
    // The first step is sealed by the one that dies, the second is in the middle of its output.
    for (const runId of lost) await untilLogged(() => logAt(first, runId, 'long'), 'long 8\n');
    const owners = await kubectl(['get', 'jobs', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.labels}']);
    t.is(new Set([...owners.matchAll(/sluice\.dev\/owner":"([^"]+)/g)].map(([, owner]) => owner)).size, 1);
    await first.kill('SIGKILL');

    for (const runId of [...lost, ...kept]) {
      const report = await untilEnded(() => ask(second, `/v1/runs/${runId}`));
      t.is(report.outcome, 'succeeded', JSON.stringify(report));
    }
    for (const runId of [...lost, ...kept]) {
      t.is(await logAt(second, runId, 'first'), numbered('first', 3));
      t.is(await logAt(second, runId, 'long'), numbered('long', 60));
      t.is(await logAt(second, runId, 'last'), 'from first\n');
    }
    const podsOf = Map.groupBy(recorder.pods, ({ job }) => job);
    t.is(podsOf.size, wanted * 3, 'one Job for each step');
    for (const [job, seen] of podsOf) t.is(new Set(seen.map(({ uid }) => uid)).size, 1, `one pod of ${job}`);

    // Who comes later, with a folder of its own, shows what both have written.
    await second.kill('SIGTERM');
    await first.serve();
    for (const runId of [...lost, ...kept]) t.is(await logAt(first, runId, 'long'), numbered('long', 60));
  },
);

clusterTest(
  'I1, I2: a runner that stands still loses its runs to another, which goes on with their pods, and touches nothing of them when it wakes',
  async (t) => {
    t.timeout(300_000);
    // As a Service leads pods to the runner that answers.
    const service = await TcpProxy.open('127.0.0.1', 0);
    t.teardown(() => service.close());
    const ports = [await freePort(), await freePort()] as const;
    const own = ports.map((port) => ({
      SLUICE_AGENT_URL: `http://${ownAddress()}:${service.port}`,
      SLUICE_AGENT_PORT: String(port),
    }));
    const { recorder, first, second, commit, ask } = await setUp(t, own);
    service.aim(ports[0]);
    await first.serve();
    for (const repository of repositories) await ask(first, '/v1/runs', { repository, commit });
    const lost = await takenBy(first);
    const logAt = logsOf(ask);
    for (const runId of lost) await untilLogged(() => logAt(first, runId, 'long'), 'long 8\n');
    process.kill(first.pid, 'SIGSTOP');
    service.set('refuse');
    service.aim(ports[1]);
    service.set('pass');
    await second.serve();
    t.deepEqual((await takenBy(second)).toSorted(), lost.toSorted());
    for (const runId of lost) await untilLogged(() => logAt(second, runId, 'long'), 'long 30\n');
    process.kill(first.pid, 'SIGCONT');

    for (const runId of lost) {
      const report = await untilEnded(() => ask(second, `/v1/runs/${runId}`));
      t.is(report.outcome, 'succeeded', JSON.stringify(report));
      t.is(await logAt(second, runId, 'long'), numbered('long', 60));
    }
    const ran = recorder.pods.filter(({ exitCode }) => exitCode !== undefined);
    t.is(new Set(ran.map(({ job }) => job)).size, lost.length * 3, 'one Job for each step');
    t.deepEqual(new Set(ran.map(({ exitCode }) => exitCode)), new Set([0]), 'no pod was ended');
    t.true(first.isAlive);
  },
);
