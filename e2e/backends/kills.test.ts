import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import type { Production, Promotion, PromotionState } from '../../runner/gates/production.ts';
import { fallsIllInProduction } from './faulty-servers.ts';
import { objectsMade } from './made-objects.ts';
import { backendTest, TestBackend, verdicts } from './test-backend.ts';
import type { Changes, Running } from './test-backend.ts';
import { Traffic } from './traffic.ts';

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

/** A soak is on its way once its end is known. */
const isIn = (state: PromotionState, promotion: Promotion): boolean =>
  promotion.state === state && (state !== 'soaking' || promotion.soakUntil !== undefined);

/** A run of a new commit, of which nothing else can be told than that its migration can be applied only once. */
async function begin({ backend }: Live, release: string, changes: Changes = {}): Promise<Running> {
  await backend.commit({ ...changes, [`schema/${release}.sql`]: `CREATE TABLE of_${release} ();` });
  return backend.begin('run');
}

async function comesTo({ records }: Live, release: string, state: PromotionState, running: Running): Promise<void> {
  const came = await records.until((value) => {
    const { promotion } = JSON.parse(value) as Production;
    return promotion?.release === release && isIn(state, promotion);
  }, running);
  if (!came) throw new Error(`${release} was never ${state}: ${verdicts(await running.report())}`);
}

const inTurn = (values: readonly string[]): readonly string[] => values.filter((value, at) => value !== values[at - 1]);

/** Answers who drives the run from now on. */
type Blow = (backend: TestBackend, running: Running) => Promise<Running>;

const killRunner: Blow = async (backend, running) => {
  await running.kill();
  return backend.begin('resume', 'latest');
};

/** As a drained node does it: the operation is told to end, and has a while for that. */
const deletePods: Blow = async (backend, running) => {
  await backend.kubectl(['delete', 'pods', '-l', 'sluice.dev/attempt', '--wait=false']);
  return running;
};

/** A promotion that suffers blows in some of its states, and what the next one finds. */
async function promoteInSpiteOf(
  t: ExecutionContext,
  live: Live,
  release: string,
  blows: readonly (readonly [PromotionState, Blow])[],
): Promise<void> {
  const { backend } = live;
  const { live: previous } = await backend.production();
  let running = await begin(live, release);
  for (const [state, blow] of blows) {
    await comesTo(live, release, state, running);
    running = await blow(backend, running);
  }
  const report = await running.report();
  t.is(report.outcome, 'succeeded', `${release}: ${verdicts(report)}`);
  const repeated = report.steps.some(({ id, attempts }) => id.startsWith('promote/') && attempts.length > 1);
  t.true(repeated, `${release}: a pod was deleted in time`);
  const production = { live: release, previous, migrated: release, held: [] };
  t.like(await backend.production(), { ...production, promotion: { state: 'promoted' } });
}

/** A release that does not hold, and suffers both blows on its way back. */
async function rollBackInSpiteOf(t: ExecutionContext, live: Live, bad: string): Promise<void> {
  const { backend } = live;
  const { live: good = '' } = await backend.production();
  let running = await begin(live, bad, { 'server.js': fallsIllInProduction(backend.read('server.js')) });
  await comesTo(live, bad, 'rolling-back', running);
  for (const blow of [deletePods, killRunner]) running = await blow(backend, running);
  const report = await running.report();
  t.is(report.outcome, 'failed', verdicts(report));
  const production = { live: good, migrated: bad, held: [await backend.git('rev-parse', 'HEAD')] };
  t.like(await backend.production(), { ...production, promotion: { release: bad, state: 'rolled-back' } });
  t.like(await backend.ask('/healthz'), { status: 200, release: good });
}

/** Whoever stops a run wants its release back, though nothing is wrong with it. */
async function cancelInSoak(t: ExecutionContext, live: Live, release: string): Promise<void> {
  const { backend } = live;
  const { live: before } = await backend.production();
  const running = await begin(live, release);
  await comesTo(live, release, 'soaking', running);
  running.child.kill('SIGINT');
  const report = await running.report();
  t.is(report.outcome, 'cancelled', verdicts(report));
  t.like(await backend.production(), { live: before, held: [], promotion: { release, state: 'rolled-back' } });
}

/** Users noticed nothing, and traffic moved in these steps and in no others. */
async function movedBy(t: ExecutionContext, { traffic, routes }: Live, moves: readonly string[]): Promise<void> {
  await traffic.stop();
  t.deepEqual(traffic.failed, []);
  t.deepEqual(traffic.releases, moves);
  t.deepEqual(inTurn(routes.seen), moves);
}

backendTest(
  'E7, R000-21: a runner that is killed and pods of gates that are deleted after that change nothing of how a promotion ends: one switch, one migration',
  async (t) => {
    const live = await liveBackend(t);
    await promoteInSpiteOf(t, live, 'r2', [
      ['admitted', killRunner],
      ['switching', deletePods],
    ]);
    await promoteInSpiteOf(t, live, 'r3', [
      ['prepared', killRunner],
      ['soaking', deletePods],
    ]);
    await rollBackInSpiteOf(t, live, 'r4');
    await movedBy(t, live, ['r1', 'r2', 'r3', 'r4', 'r3']);
    // Once to migrate and once to prove that nothing was left to do.
    const made = objectsMade(live.backend);
    for (const release of ['r2', 'r3', 'r4']) {
      const prefix = `migrate-production-${release}-`;
      const migrations = made?.map(({ name }) => name).filter((name) => name.startsWith(prefix));
      if (migrations) t.deepEqual(migrations, [`${prefix}1-1`, `${prefix}1-2`]);
    }
  },
);

backendTest(
  'E7, R000-21: pods of gates that are deleted and a runner that is killed after that change nothing of how a promotion ends, unlike a cancelled run',
  async (t) => {
    const live = await liveBackend(t);
    await promoteInSpiteOf(t, live, 'r2', [
      ['admitted', deletePods],
      ['switching', killRunner],
    ]);
    await promoteInSpiteOf(t, live, 'r3', [
      ['prepared', deletePods],
      ['soaking', killRunner],
    ]);
    await cancelInSoak(t, live, 'r4');
    await movedBy(t, live, ['r1', 'r2', 'r3', 'r4', 'r3']);
  },
);
