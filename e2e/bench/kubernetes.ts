/**
 * What Sluice adds to a raw Kubernetes Job and takes away from it, and what others that run pipelines there do: `npm run bench`, or with
 * a cluster in the environment `node e2e/bench/kubernetes.ts`. All of it in one run on one cluster, the rivals in turn; those
 * of e2e/peers that are not up are missing: `node e2e/cluster/with-cluster.ts node e2e/peers/with-peers.ts node e2e/bench/kubernetes.ts`.
 *
 * A raw Job is timed from its create until a watch shows it Complete, a run of a peer until a watch shows that it succeeded, Sluice from
 * run accepted to run succeeded: every verdict proven by the kubelet, log and artefact sealed. The steps of the others print
 * and keep nothing. Processor time and memory are what a run took of the controller or server, and what that has after it; of `sluice run`
 * those of a whole process and its peak.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterClient } from '../../runner/cluster/cluster-client.ts';
import { connectCluster } from '../../runner/cluster/connect.ts';
import { argoTrials } from './kubernetes/argo-workflows.ts';
import { kubectl } from './kubernetes/kubectl.ts';
import { findPeers } from './kubernetes/peers.ts';
import { timeRawJobs, timeRawPods } from './kubernetes/raw-jobs.ts';
import { runnerAccount } from './kubernetes/runner-account.ts';
import { ServedRuns } from './kubernetes/served-runs.ts';
import { measureSluice, repositoryWith, runSluice } from './kubernetes/sluice-run.ts';
import { comparison, figures, inWords, spread } from './kubernetes/table.ts';
import { tektonTrials } from './kubernetes/tekton-runs.ts';
import { runTrials } from './kubernetes/trial.ts';
import type { Cost, Result, Trial } from './kubernetes/trial.ts';

const { KUBECONFIG, E2E_IMAGES, E2E_CLUSTER_HOME, BENCH_ROUNDS } = process.env;
const images = JSON.parse(E2E_IMAGES ?? '{}') as Readonly<Record<string, string>>;
const image = images['busybox'] ?? '';
const namespace = 'bench';
/** Of the server: what it asks for when nothing runs is no cost of `sluice run`. */
const servedNamespace = 'bench-served';
const rounds = Number(BENCH_ROUNDS ?? 9);
const liveSteps = 100;
const oneProcess = 'sluice run';
const [work, atOnce] = ['echo done | tee result', ', needs: []'];
const pipelines = {
  one: pipeline(1, work),
  five: pipeline(5, work),
  twenty: pipeline(20, work, atOnce),
  live: pipeline(liveSteps, 'sleep 600', atOnce, ''),
};

async function main(): Promise<void> {
  if (KUBECONFIG === undefined || E2E_IMAGES === undefined) {
    console.log('There is no cluster: node e2e/cluster/with-cluster.ts node e2e/bench/kubernetes.ts brings one.');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const cleanups: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  try {
    await compare(folder, cleanups);
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  }
}

/** A namespace of its own, and what a runner has to know to use it. */
function environmentOf(name: string, folder: string, cleanups: (() => unknown)[]): NodeJS.ProcessEnv {
  kubectl(['create', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  cleanups.push(() => kubectl(['delete', 'namespace', name, '--wait=true']));
  kubectl(['wait', 'serviceaccount/default', '-n', name, '--for=create', '--timeout=60s']);
  return {
    ...process.env,
    KUBECONFIG: runnerAccount(name, folder),
    SLUICE_EXECUTOR: 'kubernetes',
    SLUICE_AGENT_IMAGE: images['agent'],
  };
}

async function compare(folder: string, cleanups: (() => unknown)[]): Promise<void> {
  const env = { ...environmentOf(namespace, folder, cleanups), SLUICE_HOME: join(folder, 'home') };
  const server = await ServedRuns.open(pipelines, environmentOf(servedNamespace, folder, cleanups), cleanups);
  const cluster = await connectCluster({ kubeconfig: KUBECONFIG });
  cleanups.push(() => cluster.close());
  const peers = peerTrials(cluster);
  const ours = [...servedTrials(server), ...sluiceTrials(folder, env)];
  const trials = [...rawTrials(cluster), ...ours, ...peers.trials, ...podTrials(cluster)];
  // What is done for the first time loads programs and images.
  for (const { shape, run } of trials) if (shape === 'one') await run();
  const { results, loads } = await runTrials(trials, rounds, E2E_CLUSTER_HOME);
  console.log(`${rounds} rounds (a third of them for what is slow), load ${inWords(spread(loads), 1)}`);
  for (const line of comparison(results, 'raw Jobs', peers.missing)) console.log(line);
  printTargets('Sluice', results, { live: await memoryOf(server) });
  printTargets(oneProcess, results, await memoryWithLiveSteps(folder, env));
}

function rawTrials(cluster: ClusterClient): readonly Trial[] {
  const runner = 'raw Jobs';
  const raw = async (count: number, inTurn = false): Promise<Cost> => ({
    ms: await timeRawJobs(cluster, { namespace, image, count, inTurn }),
  });
  return [
    { runner, shape: 'one', run: () => raw(1) },
    { runner, shape: 'five', isSlow: true, run: () => raw(5, true) },
    { runner, shape: 'twenty', isSlow: true, run: () => raw(20) },
  ];
}

/** What the node needs for the pods of the steps, were there no runner at all. */
function podTrials(cluster: ClusterClient): readonly Trial[] {
  const runner = 'raw pods, all at once';
  const pods = async (count: number): Promise<Cost> => ({
    ms: await timeRawPods(cluster, { namespace, image, count }),
  });
  return [
    { runner, shape: 'one', run: () => pods(1) },
    { runner, shape: 'five', run: () => pods(5) },
    { runner, shape: 'twenty', isSlow: true, run: () => pods(20) },
  ];
}

function servedTrials(server: ServedRuns): readonly Trial[] {
  const [runner, accounts] = ['Sluice', [servedNamespace]];
  return [
    { runner, accounts, shape: 'one', run: () => server.measure('one') },
    { runner, accounts, shape: 'five', run: () => server.measure('five') },
    { runner, accounts, shape: 'twenty', isSlow: true, run: () => server.measure('twenty') },
  ];
}

function sluiceTrials(folder: string, env: NodeJS.ProcessEnv): readonly Trial[] {
  const { one, five, twenty } = pipelines;
  const own = (text: string, variables = env): (() => Promise<Cost>) => {
    const repository = repositoryWith(folder, text);
    return async () => {
      const { peakMegabytes, ...cost } = await measureSluice({ repository, env: variables });
      return { ...cost, megabytes: peakMegabytes };
    };
  };
  const [runner, accounts] = [oneProcess, [namespace]];
  const cold = { ...env, SLUICE_LOOK_AHEAD: '0' };
  return [
    { runner, accounts, shape: 'one', run: own(one) },
    { runner, accounts, shape: 'five', run: own(five) },
    { runner: `${oneProcess}, nothing prepared`, accounts, shape: 'five', isSlow: true, run: own(five, cold) },
    { runner, accounts, shape: 'twenty', isSlow: true, run: own(twenty) },
  ];
}

/** Those of the peers that are up, and how the others come. */
function peerTrials(cluster: ClusterClient): {
  readonly trials: readonly Trial[];
  readonly missing: ReadonlyMap<string, string>;
} {
  const peers = findPeers();
  const trials: Trial[] = [];
  const missing = new Map<string, string>();
  for (const [name, title, trialsOf] of [
    ['tekton', 'Tekton', tektonTrials],
    ['argo', 'Argo Workflows', argoTrials],
  ] as const) {
    const peer = peers.get(name);
    if (peer) trials.push(...trialsOf(cluster, { namespace, image, ...peer, runner: `${title} ${peer.version}` }));
    else missing.set(title, `e2e/peers/peers up ${name}`);
  }
  return { trials, missing };
}

/** Resident memory of the server, MB, while so many steps run at once. */
async function memoryOf(server: ServedRuns): Promise<number> {
  const allRun = lastPlaced();
  let megabytes: number | undefined;
  await server.run('live', async ({ runId, event }) => {
    if (!allRun(event.type)) return;
    ({ megabytes } = server);
    await server.cancel(runId);
  });
  return measured(megabytes);
}

/** Resident memory of the runner, MB, while so many steps run at once, and its peak over the whole run. */
async function memoryWithLiveSteps(
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly live: number; readonly peak: number }> {
  const repository = repositoryWith(folder, pipelines.live);
  const allRun = lastPlaced();
  let megabytes: number | undefined;
  const { peakMegabytes } = await runSluice({
    repository,
    env,
    jobs: liveSteps,
    onEvent: (type, watch, child) => {
      if (!allRun(type)) return;
      ({ megabytes } = watch);
      child.kill('SIGINT');
    },
  });
  return { live: measured(megabytes), peak: peakMegabytes };
}

/** Answers, told each event of a run by its type, whether all of its steps run with this one. */
function lastPlaced(): (type: string) => boolean {
  let placed = 0;
  return (type) => type === 'attempt-placed' && (placed += 1) === liveSteps;
}

function measured(megabytes: number | undefined): number {
  if (megabytes === undefined) throw new Error(`not all of ${liveSteps} steps came to run`);
  return megabytes;
}

function pipeline(count: number, run: string, more = '', artifacts = ', artifacts: [result]'): string {
  const steps = Array.from({ length: count }, (_, index) => `  s${index}: { run: "${run}"${artifacts}${more} }\n`);
  return `pipeline: bench\nruntime: ${image}\nsteps:\n${steps.join('')}`;
}

function printTargets(
  runner: string,
  results: readonly Result[],
  memory: { readonly live: number; readonly peak?: number },
): void {
  const [one, five, twenty] = [
    figures(results, runner, 'one'),
    figures(results, runner, 'five'),
    figures(results, runner, 'twenty'),
  ];
  const raw = figures(results, 'raw Jobs', 'one').ms.median;
  const rawTwenty = figures(results, 'raw Jobs', 'twenty').ms.median;
  const ratio = (value: number): string => `${value.toFixed(2)} x`;
  const count = (value: number): string => value.toFixed(1);
  const rows: readonly (readonly [what: string, figure: string])[] = [
    ['1 step, to one raw Job', verdict(one.ms.median / raw, 0.4, ratio)],
    ['5 steps in turn, to ONE raw Job', verdict(five.ms.median / raw, 0.6, ratio)],
    ['20 steps at once, to 20 raw Jobs', verdict(twenty.ms.median / rawTwenty, 1, ratio)],
    ['requests a step, 5 in turn', verdict(five.requestsPerStep, 6, count)],
    ['requests a step, 20 at once', verdict(twenty.requestsPerStep, 6, count)],
    [`memory, ${liveSteps} live steps`, verdict(memory.live, 150, (value) => `${value.toFixed(0)} MB`)],
    ...(memory.peak === undefined ? [] : [['its peak', `${memory.peak.toFixed(0)} MB`] as const]),
    ...(Number.isNaN(one.wallMs.median)
      ? []
      : [['1 step, with the start of the process', `${inWords(one.wallMs)} ms`] as const]),
    ['processor time a step more', `${((20 * twenty.cpuMsPerStep - one.cpuMsPerStep) / 19).toFixed(0)} ms`],
  ];
  console.log(runner);
  for (const [what, figure] of rows) console.log(`  ${what.padEnd(40)} ${figure}`);
}

function verdict(value: number, target: number, show: (value: number) => string): string {
  if (Number.isNaN(value)) return '-';
  return `${show(value)}, target <= ${show(target)}${value <= target ? '' : ': MISSED'}`;
}

await main();
