import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import type { Production, PromotionState } from '../../runner/gates/production.ts';
import { backendTest, TestBackend, verdicts } from './test-backend.ts';
import type { Running } from './test-backend.ts';
import { Traffic } from './traffic.ts';

const { E2E_CLUSTER_HOME } = process.env;
const states: readonly PromotionState[] = ['admitted', 'prepared', 'switching', 'soaking'];

/** Every value that a field of an object has, as the cluster tells it. */
class Watch {
  readonly seen: string[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();

  constructor(backend: TestBackend, object: readonly string[], field: string) {
    const args = ['-n', backend.name, 'get', ...object, '--watch', '-o', `jsonpath={${field}}{"\\n"}`];
    const child = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.seen.push(line);
      for (const wake of this.#waiting) wake();
    });
  }

  /** The first value that fits, of those seen and those to come while the run goes on. */
  async until(fits: (value: string) => boolean, running: Running): Promise<boolean> {
    const over = once(running.child, 'exit');
    while (!running.isOver) {
      if (this.seen.some(fits)) return true;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const wake = () => resolve(undefined);
      this.#waiting.add(wake);
      await Promise.race([promise, over]);
      this.#waiting.delete(wake);
    }
    return this.seen.some(fits);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}

function watch(t: ExecutionContext, backend: TestBackend, object: readonly string[], field: string) {
  const watching = new Watch(backend, object, field);
  t.teardown(() => watching.stop());
  return watching;
}

interface Live {
  readonly backend: TestBackend;
  readonly traffic: Traffic;
  readonly records: Watch;
  readonly routes: Watch;
}

async function liveBackend(t: ExecutionContext): Promise<Live> {
  const backend = await TestBackend.open(t, 'node');
  const report = await backend.run();
  t.is(report.outcome, 'succeeded', verdicts(report));
  const traffic = new Traffic(backend, '/tasks');
  t.teardown(() => traffic.stop());
  const records = watch(t, backend, ['configmap', 'production'], '.data.record');
  const routes = watch(t, backend, ['httproute', 'api'], '.metadata.labels.sluice\\.dev/release');
  return { backend, traffic, records, routes };
}

/** A run of a new commit that is under way, and has come to a state of its promotion. */
async function runUntil({ backend, records }: Live, state: PromotionState, release: string): Promise<Running> {
  await backend.commit({ 'note.txt': state, [`schema/${release}.sql`]: `CREATE TABLE of_${release} ();` });
  const running = backend.begin('run');
  const came = await records.until((value) => {
    const { promotion } = JSON.parse(value) as Production;
    return promotion?.release === release && promotion.state === state;
  }, running);
  if (!came) throw new Error(`${release} was never ${state}: ${verdicts(await running.report())}`);
  return running;
}

/** Jobs that migrated production, by name; undefined where nobody wrote that down. */
function migrationsOf({ name: namespace }: TestBackend, release: string): readonly string[] | undefined {
  if (E2E_CLUSTER_HOME === undefined) return undefined;
  const prefix = `migrate-production-${release}-`;
  const lines = readFileSync(join(E2E_CLUSTER_HOME, 'logs/audit.log'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    if (!line.includes(namespace) || !line.includes(prefix) || !line.includes('"verb":"create"')) return [];
    const { objectRef, responseStatus, stage } = JSON.parse(line) as {
      readonly stage: string;
      readonly objectRef: { readonly resource: string; readonly name?: string };
      readonly responseStatus?: { readonly code: number };
    };
    const isMade = stage === 'ResponseComplete' && responseStatus?.code === 201 && objectRef.resource === 'jobs';
    return isMade && objectRef.name?.startsWith(prefix) ? [objectRef.name] : [];
  });
}

const inTurn = (values: readonly string[]): readonly string[] => values.filter((value, at) => value !== values[at - 1]);

for (const state of states) {
  backendTest(
    `E7, R000-21: a runner that is killed while a promotion is ${state} changes nothing of how it ends`,
    async (t) => {
      const live = await liveBackend(t);
      const { backend, traffic, routes } = live;
      const running = await runUntil(live, state, 'r2');
      await running.kill();
      const report = await backend.resume('latest');
      t.is(report.outcome, 'succeeded', verdicts(report));
      t.like(await backend.production(), { live: 'r2', previous: 'r1', held: [], promotion: { state: 'promoted' } });
      await traffic.stop();
      t.deepEqual(traffic.failed, []);
      t.deepEqual(traffic.releases, ['r1', 'r2']);
      t.deepEqual(inTurn(routes.seen), ['r1', 'r2']);
      // Once to migrate and once to prove that nothing was left to do.
      const migrations = migrationsOf(backend, 'r2');
      if (migrations) t.deepEqual(migrations, ['migrate-production-r2-1-1', 'migrate-production-r2-1-2']);
    },
  );
}

/** As a drained node does it: the operation is told to end, and has a while for that. */
function deletePods(backend: TestBackend): Promise<string> {
  return backend.kubectl(['delete', 'pods', '-l', 'sluice.dev/attempt', '--wait=false']);
}

backendTest(
  'E7: where the pod of a gate is deleted before traffic has moved, the next one goes on from there',
  async (t) => {
    const live = await liveBackend(t);
    const { backend, traffic, routes } = live;
    const running = await runUntil(live, 'admitted', 'r2');
    await deletePods(backend);
    const report = await running.report();
    t.is(report.outcome, 'succeeded', verdicts(report));
    t.true(report.steps.some(({ id, attempts }) => id.startsWith('promote/') && attempts.length > 1));
    t.like(await backend.production(), { live: 'r2', held: [], promotion: { state: 'promoted' } });
    await traffic.stop();
    t.deepEqual(traffic.failed, []);
    t.deepEqual(traffic.releases, ['r1', 'r2']);
    t.deepEqual(inTurn(routes.seen), ['r1', 'r2']);
  },
);
