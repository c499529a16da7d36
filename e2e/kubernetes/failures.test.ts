import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import PQueue from 'p-queue';
import { clusterTest, freshNamespace, imageOf, kubectl } from '../cluster/test-cluster.ts';

/**
 * One pipeline for each way in which a step can end badly, run by the command line on the cluster. The report of each, without
 * what differs from run to run, is beside it: `UPDATE_GOLDEN=1` writes it anew.
 */
const folder = fileURLToPath(new URL('failures/', import.meta.url));
const sluice = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
const { UPDATE_GOLDEN } = process.env;

/** What is done to the namespace before the run. */
const before: Readonly<Record<string, object>> = {
  quota: { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'tight' }, spec: { hard: { pods: '0' } } },
  'limit-range': {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'small' },
    spec: { limits: [{ type: 'Container', max: { memory: '1Gi' }, default: { memory: '256Mi' } }] },
  },
};

/** What is done to each pod of the run once its step runs. */
const during: Readonly<Record<string, (namespace: string, pod: string) => Promise<unknown>>> = {
  'pod-deleted': (namespace, pod) => kubectl(['-n', namespace, 'delete', 'pod', pod, '--wait=false']),
  'job-deleted': (namespace, pod) =>
    kubectl(['-n', namespace, 'delete', 'job', pod.replace(/-[^-]+$/, ''), '--wait=false']),
  evicted: (namespace, pod) =>
    kubectl(['create', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, '-f', '-'], {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: pod, namespace },
    }),
};

/** Runs that wait for good: they are interrupted once they say what for. */
const endless = new Set(['unschedulable']);

/** Policies are of the whole cluster, so theirs is bound to one namespace by its name. */
async function denyPods(namespace: string): Promise<() => Promise<unknown>> {
  const name = `deny-${namespace}`;
  const kind = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name } };
  const matchConstraints = {
    resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
  };
  const validations = [{ expression: 'false', message: 'no pods on Fridays' }];
  const policy = { ...kind, kind: 'ValidatingAdmissionPolicy', spec: { matchConstraints, validations } };
  const matchResources = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
  const spec = { policyName: name, validationActions: ['Deny'], matchResources };
  await kubectl(['create', '-f', '-'], policy);
  await kubectl(['create', '-f', '-'], { ...kind, kind: 'ValidatingAdmissionPolicyBinding', spec });
  await sleep(2_000);
  const names = [`validatingadmissionpolicybinding/${name}`, `validatingadmissionpolicy/${name}`];
  return () => kubectl(['delete', ...names]);
}

interface StepReport {
  readonly id: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly attempts: readonly { readonly exitCode?: number; readonly signal?: string; readonly reason?: string }[];
}

interface Report {
  readonly outcome?: string;
  readonly reason?: string;
  readonly steps: readonly StepReport[];
}

const places = { REGISTRY: 'localhost:5000', PAUSE: 'localhost/pause:1' };

function fill(pipeline: string): string {
  return Object.entries({ ...places, BUSYBOX: imageOf('busybox') }).reduce(
    (filled, [name, value]) => filled.replaceAll(`\${${name}}`, value),
    pipeline,
  );
}

/** What is the same each time. */
function essence({ outcome, reason, steps }: Report, waited: StepReport['waiting']): object {
  return {
    outcome,
    reason,
    ...(waited && { waited: { reason: waited.reason, message: waited.message } }),
    steps: steps.map((step) => ({
      id: step.id,
      outcome: step.outcome,
      reason: step.reason,
      message: step.message
        ?.replaceAll(imageOf('busybox'), 'BUSYBOX')
        .replaceAll(/(pod|Job) r-[\w-]+/g, '$1 NAME')
        .replaceAll(/deny-[\w-]+/g, 'POLICY'),
      attempts: step.attempts.map((attempt) => attempt.reason),
      exitCode: step.attempts.at(-1)?.exitCode,
      signal: step.attempts.at(-1)?.signal,
    })),
  };
}

class Run {
  readonly #env: NodeJS.ProcessEnv;
  readonly #namespace: string;

  constructor(namespace: string, home: string) {
    this.#namespace = namespace;
    this.#env = {
      ...process.env,
      SLUICE_HOME: home,
      SLUICE_EXECUTOR: 'kubernetes',
      SLUICE_NAMESPACE: namespace,
      SLUICE_AGENT_IMAGE: imageOf('agent'),
      SLUICE_IMAGE_PREFIX: `${places.REGISTRY}/`,
    };
  }

  async finish(name: string): Promise<{ readonly report: Report; readonly waited: StepReport['waiting'] }> {
    const child = spawn(process.execPath, [sluice, 'run', this.#env['SLUICE_HOME'] ?? '', '--json'], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = text(child.stdout);
    const ended = new AbortController();
    void output.finally(() => ended.abort());
    const seen = new Set<string>();
    let waited: StepReport['waiting'];
    while (!ended.signal.aborted && (name in during || endless.has(name))) {
      if (name in during) await this.#disturb(name, seen);
      waited ??= endless.has(name) ? await this.#waiting() : undefined;
      if (waited !== undefined) child.kill('SIGINT');
      await sleep(300);
    }
    const lines = (await output).trim().split('\n');
    const documents = lines.map((line) => JSON.parse(line) as { readonly kind: string; readonly report?: Report });
    const report = documents.find(({ kind }) => kind === 'report')?.report;
    if (report === undefined) throw new Error(`no report in ${lines.join('\n')}`);
    return { report, waited };
  }

  async #disturb(name: string, seen: Set<string>): Promise<void> {
    const { items } = JSON.parse(await kubectl(['-n', this.#namespace, 'get', 'pods', '-o', 'json'])) as {
      readonly items: readonly {
        readonly metadata: { readonly name: string };
        readonly status: { readonly containerStatuses?: readonly { readonly name: string; readonly ready: boolean }[] };
      }[];
    };
    for (const { metadata, status } of items) {
      const runs = status.containerStatuses?.find((container) => container.name === 'step')?.ready === true;
      if (!runs || seen.has(metadata.name)) continue;
      seen.add(metadata.name);
      // The step has begun a moment after its container.
      await sleep(1_500);
      await during[name]?.(this.#namespace, metadata.name);
    }
  }

  async #waiting(): Promise<StepReport['waiting']> {
    const child = spawn(process.execPath, [sluice, 'show', '--json'], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const shown = await text(child.stdout);
    const report = shown.startsWith('{"runId"') ? (JSON.parse(shown) as Report) : undefined;
    return report?.steps.find(({ waiting }) => waiting?.reason !== undefined)?.waiting;
  }
}

const slots = new PQueue({ concurrency: 3 });

for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.yaml'))) {
  const name = file.replace('.yaml', '');
  clusterTest(`a step that ends badly says why: ${name}`, async (t) => {
    await slots.add(async () => {
      const home = mkdtempSync(join(tmpdir(), `sluice-${name}-`));
      t.teardown(() => rmSync(home, { recursive: true, force: true }));
      writeFileSync(join(home, 'sluice.yaml'), fill(readFileSync(join(folder, file), 'utf8')));
      await git(home);
      const namespace = await freshNamespace(t, 'fail');
      if (before[name]) await kubectl(['-n', namespace, 'create', '-f', '-'], before[name]);
      if (name === 'admission-policy') t.teardown(await denyPods(namespace));
      const { report, waited } = await new Run(namespace, home).finish(name);
      const golden = join(folder, `${name}.json`);
      const found = JSON.stringify(essence(report, waited), null, 2);
      if (UPDATE_GOLDEN === '1') writeFileSync(golden, `${found}\n`);
      t.deepEqual(JSON.parse(found), JSON.parse(readFileSync(golden, 'utf8')));
      t.not(report.outcome, 'succeeded');
    });
  });
}

test('there is a report for each of at least 25 pipelines', (t) => {
  const names = readdirSync(folder);
  const pipelines = names.filter((name) => name.endsWith('.yaml'));
  t.true(pipelines.length >= 25);
  t.deepEqual(
    pipelines.map((name) => name.replace('.yaml', '.json')).filter((name) => !names.includes(name)),
    [],
  );
});

async function git(home: string): Promise<void> {
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.org'];
  for (const args of [
    ['init', '-q'],
    ['add', 'sluice.yaml'],
    [...author, 'commit', '-qm', 'pipeline'],
  ]) {
    const child = spawn('git', ['-C', home, ...args], { stdio: 'inherit' });
    await new Promise((resolve) => child.once('close', resolve));
  }
}
