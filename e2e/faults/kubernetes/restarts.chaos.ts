import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import PQueue from 'p-queue';
import { kubectl } from '../../cluster/test-cluster.ts';
import { runLargeLog } from '../../kubernetes/large-log.ts';
import { FaultSite } from './fault-site.ts';
import type { Faults, Machine, SitePipeline } from './fault-site.ts';
import { faultTest, home } from './fault-test.ts';
import { logOf } from './moments.ts';
import { everything, secrets, slowFor } from './pipelines.ts';
import { readHome } from './read-home.ts';
import type { Runner } from './runner-process.ts';

const program = fileURLToPath(new URL('../../cluster/cluster', import.meta.url));
const node = 'node-1';

/** Each has the whole cluster for itself. */
const turns = new PQueue({ concurrency: 1 });

let site: FaultSite;
test.before(async () => {
  if (home !== undefined) site = await FaultSite.open(home);
});
test.after.always(() => (home === undefined ? undefined : site.close()));

async function cluster(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(program, args);
}

/** What the restart of a component may cost: what it had no time to say, or to do for a pod. */
const components: Readonly<Record<string, readonly string[]>> = {
  apiserver: ['node_lost', 'cluster_unreachable'],
  etcd: ['node_lost', 'cluster_unreachable'],
  'controller-manager': [],
  scheduler: [],
  kubelet: ['node_lost'],
  containerd: ['node_lost', 'pod_setup', 'agent_failed'],
};

for (const [component, costs] of Object.entries(components)) {
  faultTest(`E7: ${component} is killed in mid-step and starts again`, (t) =>
    turns.add(async () => {
      t.timeout(200_000);
      await whileTheyRun(t, [everything, slowFor(6)], { costs }, () => cluster('restart', component));
    }),
  );
}

faultTest(
  "E7: a node that is not heard of for a minute is waited for, and so is the kubelet's word on a step that ended",
  (t) =>
    turns.add(async () => {
      t.timeout(300_000);
      await whileTheyRun(t, [slowFor(90), slowFor(20)], { costs: ['node_lost'] }, () => whileAway(notHeard));
    }),
);

faultTest('E7: pods that are evicted from a node which does not answer end before the next attempt begins', (t) =>
  turns.add(async () => {
    t.timeout(200_000);
    const reasons = ['evicted', 'node_lost'];
    const ran = await whileTheyRun(t, [slowFor(20)], { costs: reasons }, () => whileAway(evicted));
    t.true(ran.flat().some((reason) => reasons.includes(reason)));
  }),
);

faultTest('200 MB of log are stored to the last byte while the kubelet rotates its own at 10 KiB', (t) =>
  turns.add(async () => {
    t.timeout(200_000);
    const file = join(home ?? '', 'conf', 'kubelet.yaml');
    const usual = await readFile(file, 'utf8');
    await writeFile(file, `${usual}containerLogMaxSize: 10Ki\ncontainerLogMonitorInterval: 3s\n`);
    try {
      await cluster('restart', 'kubelet');
      await runLargeLog(t);
    } finally {
      await writeFile(file, usual);
      await cluster('restart', 'kubelet');
    }
  }),
);

/** The kubelet is away until that has come to pass. */
async function whileAway(passes: () => Promise<unknown>): Promise<void> {
  await cluster('kill', 'kubelet');
  try {
    await passes();
  } finally {
    await cluster('start', 'kubelet');
  }
}

async function notHeard(): Promise<void> {
  await kubectl(['wait', 'node', node, '--for=condition=Ready=Unknown', '--timeout=120s']);
}

/** As the node controller does with a node that it gives up, five minutes later. */
async function evicted(): Promise<void> {
  const taint = 'sluice.dev/given-up=true:NoExecute';
  await kubectl(['taint', 'node', node, taint]);
  try {
    const selection = ['-n', site.namespace, '-l', 'app.kubernetes.io/managed-by=sluice'];
    await kubectl(['wait', 'pod', ...selection, '--for=jsonpath={.metadata.deletionTimestamp}', '--timeout=60s']);
  } finally {
    await kubectl(['taint', 'node', node, `${taint}-`]);
  }
}

/** Does something to the cluster while the first step of each runs; answers the reasons of attempts that it cost. */
async function whileTheyRun(
  t: ExecutionContext,
  pipelines: readonly SitePipeline[],
  faults: Faults,
  strike: () => Promise<void>,
): Promise<readonly (readonly string[])[]> {
  const machines = await Promise.all(pipelines.map((pipeline) => site.machine(pipeline, secrets)));
  try {
    const running = machines.map((machine) => ({ machine, runner: machine.start() }));
    await Promise.all(running.map(({ machine, runner }) => logOf(machine.firstStep, machine, runner)));
    await strike();
    return await Promise.all(running.map(({ machine, runner }) => judge(t, machine, runner, faults)));
  } finally {
    await Promise.all(machines.map((machine) => machine.close()));
  }
}

async function judge(
  t: ExecutionContext,
  machine: Machine,
  runner: Runner,
  faults: Faults,
): Promise<readonly string[]> {
  await runner.ended;
  const runId = runner.runId ?? '';
  const { events } = readHome(machine.home, runId);
  t.is(events.at(-1)?.verdict?.outcome, 'succeeded', `${JSON.stringify(events)}\n${runner.lastWords}`);
  t.deepEqual(await machine.check(runId, faults), [], runner.lastWords);
  const reasons = events.flatMap(({ result }) => result?.reason ?? []);
  t.log(reasons.join(', ') || 'no attempt was lost');
  return reasons;
}
