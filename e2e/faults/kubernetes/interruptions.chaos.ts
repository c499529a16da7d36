import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { kubectl } from '../../cluster/test-cluster.ts';
import { writeKubeconfig } from '../../cluster-api/real-cluster.ts';
import { jobOf } from './check-cluster.ts';
import { FaultSite } from './fault-site.ts';
import type { Faults, Machine } from './fault-site.ts';
import { faultTest, home } from './fault-test.ts';
import { slowFor } from './pipelines.ts';
import { readHome, runOf } from './read-home.ts';
import { logOf, until } from './moments.ts';
import type { Runner } from './runner-process.ts';
import { TcpProxy } from '../tcp-proxy.ts';

let site: FaultSite;
test.before(async () => {
  if (home !== undefined) site = await FaultSite.open(home, runsThatWait);
});
test.after.always(() => (home === undefined ? undefined : site.close()));

/** Longer than Sluice waits for an answer of the API server. */
const longAbsenceMs = 35_000;

/** Most of these runs wait for what is away. */
const runsThatWait = 8;

/** On a busy machine the kubelet may say later than half a minute after the agent how a step ended. */
const late = ['node_lost'];

interface Scene {
  readonly machine: Machine;
  readonly runner: Runner;
  readonly proxy: TcpProxy;
}

interface Fault extends Faults {
  readonly title: string;
  /** Does the damage; answers the runner that the run ends with. */
  readonly strike: (scene: Scene) => Promise<Runner>;
  /** The reason of an attempt that it costs for sure. */
  readonly sure?: string;
  readonly outcome?: string;
}

const faults: readonly Fault[] = [
  {
    title: 'a pod that is deleted in mid-step is lost, and the next attempt begins when it has ended',
    strike: async ({ machine, runner }) => {
      await logOf('work', machine, runner);
      await kubectl(['delete', 'pod', '-n', site.namespace, '-l', selector(machine), '--wait=false']);
      return runner;
    },
    costs: ['pod_deleted'],
    sure: 'pod_deleted',
  },
  {
    title: 'a Job that is deleted in mid-step takes its pod with it, and the next attempt begins then',
    strike: async ({ machine, runner }) => {
      await logOf('work', machine, runner);
      await kubectl(['delete', 'job', '-n', site.namespace, jobOf(runner.runId ?? '', 'work', 1), '--wait=false']);
      return runner;
    },
    costs: ['pod_deleted'],
    sure: 'pod_deleted',
  },
  {
    title: 'a Job that is deleted before its pod was there is missed',
    strike: async ({ runner }) => {
      await until(() => runner.says('attempt-started'));
      const name = jobOf(runner.runId ?? '', 'work', 1);
      await until(() => site.audit.read().some((write) => write.verb === 'create' && write.name === name));
      await kubectl(['delete', 'job', '-n', site.namespace, name, '--wait=false']);
      return runner;
    },
    costs: ['pod_deleted'],
    sure: 'pod_deleted',
  },
  {
    title: 'a pod that is deleted while no runner is there is lost',
    strike: async ({ machine, runner }) => {
      await logOf('work', machine, runner);
      await runner.kill();
      await kubectl(['delete', 'pod', '-n', site.namespace, '-l', selector(machine)]);
      return machine.resume(runOf(machine.home) ?? '');
    },
    costs: ['pod_deleted'],
    sure: 'pod_deleted',
  },
  {
    title: 'a Job that is deleted while no runner is there is lost, and its pod has ended before the next attempt',
    strike: async ({ machine, runner }) => {
      await logOf('work', machine, runner);
      await runner.kill();
      const runId = runOf(machine.home) ?? '';
      await kubectl(['delete', 'job', '-n', site.namespace, jobOf(runId, 'work', 1), '--wait=false']);
      return machine.resume(runId);
    },
    costs: ['pod_deleted'],
    sure: 'pod_deleted',
  },
  {
    title: 'a runner whose port is taken cannot go on with an attempt, and ends it before the next',
    strike: async ({ machine, runner }) => {
      await logOf('work', machine, runner);
      await runner.kill();
      const query = ['get', 'pod', '-n', site.namespace, '-l', selector(machine), '-o', 'jsonpath={..env[0].value}'];
      const { port } = new URL((await kubectl(query)).split(' ')[0] ?? '');
      const other = createServer().listen(Number(port), '0.0.0.0');
      const next = machine.resume(runOf(machine.home) ?? '');
      void next.ended.then(() => other.close());
      return next;
    },
    costs: ['runner_lost'],
    sure: 'runner_lost',
  },
  {
    title: 'an agent that is killed is lost with what it held',
    strike: async ({ machine, runner }) => {
      await logOf('work', machine, runner);
      const pod = (await kubectl(['get', 'pod', '-n', site.namespace, '-l', selector(machine), '-o', 'name'])).trim();
      await kubectl(['exec', '-n', site.namespace, pod, '-c', 'agent', '--', 'sh', '-c', 'kill -9 -1']).catch(() => '');
      return runner;
    },
    costs: ['agent_failed'],
    sure: 'agent_failed',
  },
  {
    title: 'an API server that is away when the run starts is waited for',
    strike: async ({ runner, proxy }) => {
      proxy.set('refuse');
      await sleep(longAbsenceMs);
      proxy.set('pass');
      return runner;
    },
    costs: late,
  },
  {
    title: 'a Job that was made although the answer was lost is the Job of its attempt',
    strike: async ({ runner, proxy }) => {
      await until(() => runner.says('attempt-started'));
      proxy.set('mute');
      await sleep(longAbsenceMs);
      proxy.set('refuse');
      await sleep(2_000);
      proxy.set('pass');
      return runner;
    },
    costs: late,
  },
  {
    title: 'an API server that is away from mid-step on is waited for',
    strike: async ({ machine, runner, proxy }) => {
      await logOf('work', machine, runner);
      proxy.set('refuse');
      await sleep(longAbsenceMs);
      proxy.set('pass');
      return runner;
    },
    costs: late,
  },
  {
    title: 'a connection that falls silent in mid-step is noticed',
    strike: async ({ machine, runner, proxy }) => {
      await logOf('work', machine, runner);
      proxy.set('silent');
      await sleep(500);
      proxy.set('pass');
      return runner;
    },
    costs: late,
  },
  {
    title: 'a connection that falls silent before a pod was seen to run is noticed',
    strike: async ({ runner, proxy }) => {
      await until(() => runner.says('attempt-placed'));
      proxy.set('silent');
      await sleep(500);
      proxy.set('pass');
      return runner;
    },
    costs: [],
  },
  {
    title: 'a runner that resumes while the API server is away waits for it',
    strike: async ({ machine, runner, proxy }) => {
      await logOf('work', machine, runner);
      await runner.kill();
      proxy.set('refuse');
      const next = machine.resume(runOf(machine.home) ?? '');
      await sleep(longAbsenceMs);
      proxy.set('pass');
      return next;
    },
    costs: late,
  },
  {
    title: 'a runner that stands still goes on where it was',
    strike: async ({ machine, runner }) => {
      await logOf('work', machine, runner);
      runner.signal('SIGSTOP');
      await sleep(15_000);
      runner.signal('SIGCONT');
      return runner;
    },
    costs: late,
  },
  {
    title: 'a run that is cancelled while the API server is away leaves nothing once that is back',
    strike: async ({ machine, runner, proxy }) => {
      await logOf('work', machine, runner);
      proxy.set('refuse');
      runner.signal('SIGINT');
      await sleep(5_000);
      proxy.set('pass');
      return runner;
    },
    costs: [],
    ends: { work: ['interrupted'] },
    outcome: 'cancelled',
  },
];

for (const fault of faults) faultTest(`E7: ${fault.title}`, (t) => site.slots.add(() => play(t, fault)));

async function play(t: ExecutionContext, { strike, sure, outcome = 'succeeded', ...faults }: Fault): Promise<void> {
  t.timeout(300_000);
  const proxy = await TcpProxy.open('127.0.0.1', 6443);
  const folder = await machineFolder(t, proxy);
  const machine = await site.machine(slowFor(6), { KUBECONFIG: folder });
  try {
    const last = await strike({ machine, runner: machine.start(), proxy });
    await last.ended;
    const runId = runOf(machine.home) ?? '';
    const { events } = readHome(machine.home, runId);
    t.is(events.at(-1)?.verdict?.outcome, outcome, last.lastWords);
    if (sure !== undefined)
      t.true(
        events.some(({ result }) => result?.reason === sure),
        last.lastWords,
      );
    t.deepEqual(await machine.check(runId, faults), [], last.lastWords);
  } finally {
    await machine.close();
    proxy.close();
  }
}

/** A kubeconfig whose API server is behind the proxy. */
async function machineFolder(t: ExecutionContext, proxy: TcpProxy): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-way-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return writeKubeconfig(join(folder, 'kubeconfig'), ({ clusters: [{ cluster }] }) => {
    cluster.server = `https://127.0.0.1:${proxy.port}`;
  });
}

function selector(machine: Machine): string {
  return `sluice.dev/run=${runOf(machine.home) ?? ''}`;
}
