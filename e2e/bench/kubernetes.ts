/**
 * What Sluice adds to a raw Kubernetes Job, and takes away from it: `npm run bench`, or with a cluster in the environment
 * `node e2e/bench/kubernetes.ts`. All of it in one run on one cluster, the rivals in turn.
 *
 * A raw Job is timed from its create until a watch shows it Complete, Sluice from run accepted to run succeeded: every
 * verdict proven by the kubelet, log and artefact sealed. The kubelet looks once a second who has ended, so each starts at a
 * moment of its own within that second, or they would all fall into the same step with it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectCluster } from '../../runner/cluster/connect.ts';
import { kubectl } from './kubernetes/kubectl.ts';
import { countRequests } from './kubernetes/audited-requests.ts';
import { timeRawJobs } from './kubernetes/raw-jobs.ts';
import { runnerAccount } from './kubernetes/runner-account.ts';
import { measureSluice, repositoryWith, runSluice } from './kubernetes/sluice-run.ts';
import type { SluiceRun } from './kubernetes/sluice-run.ts';

const { KUBECONFIG, E2E_IMAGES, E2E_CLUSTER_HOME, BENCH_ROUNDS } = process.env;
const images = JSON.parse(E2E_IMAGES ?? '{}') as Readonly<Record<string, string>>;
const namespace = 'bench';
const rounds = Number(BENCH_ROUNDS ?? 9);
const liveSteps = 100;

interface Round {
  readonly raw: number;
  readonly rawInTurn: number;
  readonly rawTwenty: number;
  readonly one: SluiceRun;
  readonly five: SluiceRun;
  readonly fiveCold: SluiceRun;
  readonly twenty: SluiceRun;
}

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
  const image = images['busybox'] ?? '';
  const env = {
    ...process.env,
    KUBECONFIG: account,
    SLUICE_HOME: join(folder, 'home'),
    SLUICE_EXECUTOR: 'kubernetes',
    SLUICE_AGENT_IMAGE: images['agent'],
  };
  const cold = { ...env, SLUICE_LOOK_AHEAD: '0' };
  const [one, five, twenty] = [
    pipeline(image, 1, 'echo done | tee result'),
    pipeline(image, 5, 'echo done | tee result'),
    pipeline(image, 20, 'echo done | tee result', ', needs: []'),
  ].map((text) => repositoryWith(folder, text));
  const cluster = await connectCluster({ kubeconfig: KUBECONFIG });
  const raw = (count: number, inTurn = false): Promise<number> =>
    anyMoment(() => timeRawJobs(cluster, { namespace, image, count, inTurn }));
  const own = (repository = '', variables: NodeJS.ProcessEnv = env): Promise<SluiceRun> =>
    anyMoment(() => measureSluice({ repository, env: variables }));
  // What is done for the first time loads programs and images.
  await raw(1);
  await own(one);
  const seen: Partial<Round>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    seen.push({ raw: await raw(1), one: await own(one), five: await own(five), fiveCold: await own(five, cold) });
    if (round % 3 === 0)
      seen.push({ rawInTurn: await raw(5, true), rawTwenty: await raw(20), twenty: await own(twenty) });
    console.error(`round ${round + 1} of ${rounds}, load ${loadavg()[0]?.toFixed(1)}`);
  }
  const requests = {
    one: await countRequests(E2E_CLUSTER_HOME, namespace, () => own(one)),
    five: await countRequests(E2E_CLUSTER_HOME, namespace, () => own(five)),
    twenty: await countRequests(E2E_CLUSTER_HOME, namespace, () => own(twenty)),
  };
  await cluster.close();
  print(seen, requests, await memoryWithLiveSteps(folder, image, env));
}

/** Resident memory of the runner, MB, while so many steps run at once, and its peak over the whole run. */
async function memoryWithLiveSteps(
  folder: string,
  image: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly live: number; readonly peak: number }> {
  const repository = repositoryWith(folder, pipeline(image, liveSteps, 'sleep 600', ', needs: []', ''));
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

function pipeline(image: string, count: number, run: string, more = '', artifacts = ', artifacts: [result]'): string {
  const steps = Array.from({ length: count }, (_, index) => `  s${index}: { run: "${run}"${artifacts}${more} }\n`);
  return `pipeline: bench\nruntime: ${image}\nsteps:\n${steps.join('')}`;
}

async function anyMoment<Value>(act: () => Promise<Value>): Promise<Value> {
  // Of what came before, the pods are ended and the objects removed.
  await sleep(1_500 + Math.random() * 1_000);
  return act();
}

type Requests = Readonly<Record<'one' | 'five' | 'twenty', number | undefined>>;

function print(
  seen: readonly Partial<Round>[],
  requests: Requests,
  memory: { readonly live: number; readonly peak: number },
): void {
  const of = (name: 'raw' | 'rawInTurn' | 'rawTwenty'): Spread => spread(seen.flatMap((round) => round[name] ?? []));
  const ran = (name: 'one' | 'five' | 'fiveCold' | 'twenty', what: keyof SluiceRun = 'ms'): Spread =>
    spread(seen.flatMap((round) => round[name]?.[what] ?? []));
  const raw = of('raw').median;
  const twenty = of('rawTwenty').median;
  const versus = (own: Spread, base: number, target: number): string =>
    verdict(own.median / base, target, (value) => `${value.toFixed(2)} x`);
  const perStep = (name: keyof Requests, steps: number, target: number): string =>
    requests[name] === undefined ? '-' : verdict(requests[name] / steps, target, (value) => value.toFixed(1));
  const rows: readonly (readonly [what: string, figure: string, remark: string])[] = [
    ['1 raw Job', inMs(of('raw')), ''],
    ['5 raw Jobs in turn', inMs(of('rawInTurn')), ''],
    ['20 raw Jobs at once', inMs(of('rawTwenty')), ''],
    ['Sluice: 1 step', inMs(ran('one')), versus(ran('one'), raw, 0.4)],
    ['Sluice: 1 step, with the start of the process', inMs(ran('one', 'wallMs')), ''],
    ['Sluice: 5 steps in turn', inMs(ran('five')), `${versus(ran('five'), raw, 0.6)} of one raw Job`],
    ['Sluice: 5 steps in turn, nothing prepared', inMs(ran('fiveCold')), ''],
    ['Sluice: 20 steps at once', inMs(ran('twenty')), versus(ran('twenty'), twenty, 1)],
    ['requests to the API server a step: 1', perStep('one', 1, Infinity), 'with what a run costs by itself'],
    ['requests a step: 5 in turn', perStep('five', 5, 6), ''],
    ['requests a step: 20 at once', perStep('twenty', 20, 6), ''],
    ['processor time of the runner, 1 step', inMs(ran('one', 'cpuMs')), ''],
    [
      'processor time a step more',
      `${((ran('twenty', 'cpuMs').median - ran('one', 'cpuMs').median) / 19).toFixed(0)} ms`,
      '',
    ],
    ['peak memory of the runner, 20 steps', `${ran('twenty', 'peakMegabytes').median.toFixed(0)} MB`, ''],
    [
      `memory of the runner, ${liveSteps} live steps`,
      `${memory.live.toFixed(0)} MB (peak ${memory.peak.toFixed(0)})`,
      verdict(memory.live, 150, (value) => `${value.toFixed(0)} MB`),
    ],
  ];
  console.log(`${rounds} rounds (a third of them for 5 in turn and 20 at once), least / median / most`);
  for (const [what, figure, remark] of rows) console.log(`${what.padEnd(46)} ${figure.padStart(26)}  ${remark}`);
}

interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [least = NaN, median = NaN, most = NaN] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return { least, median, most };
}

function inMs({ least, median, most }: Spread): string {
  return `${[least, median, most].map((value) => value.toFixed(0)).join(' / ')} ms`;
}

function verdict(value: number, target: number, show: (value: number) => string): string {
  if (target === Infinity) return show(value);
  return `${show(value)}, target <= ${show(target)}${value <= target ? '' : ': MISSED'}`;
}

await main();
