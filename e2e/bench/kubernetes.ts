/**
 * What Sluice adds to a raw Kubernetes Job and takes away from it, and what others that run pipelines there do: `npm run bench`, or with
 * a cluster in the environment `node e2e/bench/kubernetes.ts`. All of it in one run on one cluster, the rivals in turn; those
 * of e2e/peers that are not up are missing: `node e2e/cluster/with-cluster.ts node e2e/peers/with-peers.ts node e2e/bench/kubernetes.ts`.
 *
 * A raw Job is timed from its create until a watch shows it Complete, a run of a peer until a watch shows that it succeeded, Sluice from
 * run accepted to run succeeded: every verdict proven by the kubelet, log and artefact sealed. The steps of the others print
 * and keep nothing. Sluice's processor time is that of a whole process of `sluice run`, its memory the peak of it; theirs is what
 * a run took of their controller, and what that has after it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterClient } from '../../runner/cluster/cluster-client.ts';
import { connectCluster } from '../../runner/cluster/connect.ts';
import { argoTrials } from './kubernetes/argo-workflows.ts';
import { kubectl } from './kubernetes/kubectl.ts';
import { findPeers } from './kubernetes/peers.ts';
import { timeRawJobs } from './kubernetes/raw-jobs.ts';
import { runnerAccount } from './kubernetes/runner-account.ts';
import { measureSluice, repositoryWith, runSluice } from './kubernetes/sluice-run.ts';
import { comparison, figures, inWords, spread } from './kubernetes/table.ts';
import { tektonTrials } from './kubernetes/tekton-runs.ts';
import { runTrials } from './kubernetes/trial.ts';
import type { Cost, Result, Trial } from './kubernetes/trial.ts';

const { KUBECONFIG, E2E_IMAGES, E2E_CLUSTER_HOME, BENCH_ROUNDS } = process.env;
const images = JSON.parse(E2E_IMAGES ?? '{}') as Readonly<Record<string, string>>;
const image = images['busybox'] ?? '';
const namespace = 'bench';
const rounds = Number(BENCH_ROUNDS ?? 9);
const liveSteps = 100;

async function main(): Promise<void> {
  if (KUBECONFIG === undefined || E2E_IMAGES === undefined) {
    console.log('There is no cluster: node e2e/cluster/with-cluster.ts node e2e/bench/kubernetes.ts brings one.');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  kubectl(['create', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  try {
    kubectl(['wait', 'serviceaccount/default', '-n', namespace, '--for=create', '--timeout=60s']);
    await compare(folder, runnerAccount(namespace, folder));
  } finally {
    kubectl(['delete', 'namespace', namespace, '--wait=true']);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(folder: string, account: string): Promise<void> {
  const env = {
    ...process.env,
    KUBECONFIG: account,
    SLUICE_HOME: join(folder, 'home'),
    SLUICE_EXECUTOR: 'kubernetes',
    SLUICE_AGENT_IMAGE: images['agent'],
  };
  const cluster = await connectCluster({ kubeconfig: KUBECONFIG });
  const peers = peerTrials(cluster);
  const trials = [...rawTrials(cluster), ...sluiceTrials(folder, env), ...peers.trials];
  // What is done for the first time loads programs and images.
  for (const { shape, run } of trials) if (shape === 'one') await run();
  const { results, loads } = await runTrials(trials, rounds, E2E_CLUSTER_HOME);
  await cluster.close();
  console.log(`${rounds} rounds (a third of them for what is slow), load ${inWords(spread(loads), 1)}`);
  for (const line of comparison(results, 'raw Jobs', peers.missing)) console.log(line);
  printTargets(results, await memoryWithLiveSteps(folder, env));
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

function sluiceTrials(folder: string, env: NodeJS.ProcessEnv): readonly Trial[] {
  const [one = '', five = '', twenty = ''] = [
    pipeline(1, 'echo done | tee result'),
    pipeline(5, 'echo done | tee result'),
    pipeline(20, 'echo done | tee result', ', needs: []'),
  ].map((text) => repositoryWith(folder, text));
  const own = async (repository: string, variables = env): Promise<Cost> => {
    const { peakMegabytes, ...cost } = await measureSluice({ repository, env: variables });
    return { ...cost, megabytes: peakMegabytes };
  };
  const [runner, accounts] = ['Sluice', [namespace]];
  const cold = { ...env, SLUICE_LOOK_AHEAD: '0' };
  return [
    { runner, accounts, shape: 'one', run: () => own(one) },
    { runner, accounts, shape: 'five', run: () => own(five) },
    { runner: 'Sluice, nothing prepared', accounts, shape: 'five', run: () => own(five, cold) },
    { runner, accounts, shape: 'twenty', isSlow: true, run: () => own(twenty) },
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

/** Resident memory of the runner, MB, while so many steps run at once, and its peak over the whole run. */
async function memoryWithLiveSteps(
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly live: number; readonly peak: number }> {
  const repository = repositoryWith(folder, pipeline(liveSteps, 'sleep 600', ', needs: []', ''));
  let placed = 0;
  let megabytes = NaN;
  const { peakMegabytes } = await runSluice({
    repository,
    env,
    jobs: liveSteps,
    onEvent: (type, watch, child) => {
      if (type !== 'attempt-placed' || (placed += 1) < liveSteps) return;
      megabytes = watch.megabytes;
      child.kill('SIGINT');
    },
  });
  if (Number.isNaN(megabytes)) throw new Error(`${placed} of ${liveSteps} steps came to run`);
  return { live: megabytes, peak: peakMegabytes };
}

function pipeline(count: number, run: string, more = '', artifacts = ', artifacts: [result]'): string {
  const steps = Array.from({ length: count }, (_, index) => `  s${index}: { run: "${run}"${artifacts}${more} }\n`);
  return `pipeline: bench\nruntime: ${image}\nsteps:\n${steps.join('')}`;
}

function printTargets(results: readonly Result[], memory: { readonly live: number; readonly peak: number }): void {
  const [one, five, twenty] = [
    figures(results, 'Sluice', 'one'),
    figures(results, 'Sluice', 'five'),
    figures(results, 'Sluice', 'twenty'),
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
    ['its peak', `${memory.peak.toFixed(0)} MB`],
    ['1 step, with the start of the process', `${inWords(one.wallMs)} ms`],
    ['processor time a step more', `${((20 * twenty.cpuMsPerStep - one.cpuMsPerStep) / 19).toFixed(0)} ms`],
  ];
  console.log('Sluice');
  for (const [what, figure] of rows) console.log(`  ${what.padEnd(40)} ${figure}`);
}

function verdict(value: number, target: number, show: (value: number) => string): string {
  if (Number.isNaN(value)) return '-';
  return `${show(value)}, target <= ${show(target)}${value <= target ? '' : ': MISSED'}`;
}

await main();
