import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { kubectl } from '../../cluster/test-cluster.ts';
import { jobOf } from './check-cluster.ts';
import { FaultSite } from './fault-site.ts';
import type { Machine } from './fault-site.ts';
import { faultTest, home } from './fault-test.ts';
import { everything, secrets, slowFor } from './pipelines.ts';
import { countRows, logFile, readHome, runOf, sizeOf } from './read-home.ts';
import type { Runner } from './runner-process.ts';

/** Everything that can be seen of a run from outside while it is under way. */
interface Scene {
  readonly site: FaultSite;
  readonly machine: Machine;
  readonly runner: Runner;
  readonly runId: string | undefined;
}

/** A moment to kill the runner at, named as docs and threat model name fail points. */
interface Moment {
  readonly name: string;
  readonly came: (scene: Scene) => boolean;
}

const told =
  (type: string, step?: string): Moment['came'] =>
  (scene) =>
    scene.runner.says(type, step);

const wrote =
  (verb: string, resource: string, step: string, attempt = 1): Moment['came'] =>
  ({ site, runId }) =>
    site.audit
      .read()
      .some(
        (write) =>
          write.verb === verb && write.resource === resource && write.name === jobOf(runId ?? '', step, attempt),
      );

const container =
  (step: string, field: 'startedAt' | 'finishedAt'): Moment['came'] =>
  ({ site, runId }) =>
    site.recorder.pods.some((pod) => pod.job === jobOf(runId ?? '', step, 1) && pod[field] !== undefined);

const logged =
  (step: string, bytes: number): Moment['came'] =>
  ({ machine, runId }) =>
    runId !== undefined && sizeOf(logFile(machine.home, runId, step, 1)) > bytes;

const stored =
  (table: Parameters<typeof countRows>[1]): Moment['came'] =>
  ({ machine }) =>
    countRows(machine.home, table) > 0;

/** Each line is one run, whose runners are killed one after the other. */
const chains: readonly (readonly Moment[])[] = [
  [
    { name: 'run.plan after', came: told('run-created') },
    { name: 'pod.seen', came: container('build', 'startedAt') },
    { name: 'log.chunk stored, with secrets', came: logged('flaky', 1_000) },
    { name: 'step.final after', came: told('attempt-finished', 'build') },
    { name: 'step.claim, of the last', came: told('attempt-placed', 'last') },
  ],
  [
    { name: 'step.claim', came: told('attempt-started', 'build') },
    { name: 'job.recorded', came: told('attempt-placed', 'build') },
    { name: 'log.chunk stored', came: logged('build', 1_500) },
    { name: 'job.deleted', came: wrote('delete', 'jobs', 'build') },
    { name: 'junit.stored', came: stored('test_chunks') },
    { name: 'run.final after', came: told('run-finished') },
  ],
  [
    { name: 'job.create after', came: wrote('create', 'jobs', 'build') },
    { name: 'log.open', came: logged('build', 0) },
    { name: 'artefact.open', came: incoming },
    { name: 'next.enqueued', came: told('attempt-started', 'tests') },
    { name: 'step.claim, of finally', came: told('attempt-started', 'clean') },
  ],
  [
    { name: 'job.create after, of a step that waits prepared', came: wrote('create', 'jobs', 'tests') },
    { name: 'job.create after, of a second attempt', came: wrote('create', 'jobs', 'flaky', 2) },
    { name: 'artefact.recorded', came: stored('attempt_artifacts') },
    { name: 'run.final before', came: container('clean', 'finishedAt') },
  ],
  [
    { name: 'secret.created', came: wrote('create', 'secrets', 'flaky') },
    { name: 'step.final before, with secrets', came: container('flaky', 'finishedAt') },
    { name: 'step.final before', came: container('build', 'finishedAt') },
    { name: 'step.word', came: told('attempt-reported', 'flaky') },
  ],
];

/** Bytes on their way into the blob store, those of the commit excepted. */
function incoming({ machine, runId }: Scene): boolean {
  const folder = join(machine.home, 'blobs', 'incoming');
  return runId !== undefined && existsSync(folder) && readdirSync(folder).length > 0;
}

let site: FaultSite;
test.before(async () => {
  if (home !== undefined) site = await FaultSite.open(home);
});
test.after.always(() => (home === undefined ? undefined : site.close()));

for (const chain of chains) {
  faultTest(`E7: kill -9 at ${chain.map(({ name }) => `"${name}"`).join(', then ')} loses nothing`, (t) =>
    site.slots.add(() => killAlong(t, chain)),
  );
}

/** The same moments each time, unless others are asked for: FAULT_SEED=$RANDOM. */
const seed = Number(process.env['FAULT_SEED'] ?? 20_261_128);

for (const run of [1, 2]) {
  faultTest(`E7: kill -9 at moments by chance loses nothing (FAULT_SEED=${seed}, ${run})`, (t) =>
    site.slots.add(() => killAlong(t, byChance(seed + run))),
  );
}

/** Park-Miller: the same seed, the same pauses. */
function byChance(start: number): readonly Moment[] {
  let state = start;
  return Array.from({ length: 6 }, (_, index) => {
    state = (state * 48_271) % 2_147_483_647;
    const ms = (index === 0 ? 1_000 : 600) + (state % 4_000);
    return { name: `after ${ms} ms`, came: ({ runner, runId }) => runId !== undefined && runner.ageMs > ms };
  });
}

interface JobObject {
  readonly metadata: { readonly name: string; readonly labels: object; readonly annotations: object };
  readonly spec: { readonly template: { readonly spec: object } };
}

faultTest('E7: what is left by a runner that was killed after the end of its run goes with whoever comes next', (t) =>
  site.slots.add(async () => {
    t.timeout(120_000);
    const machine = await site.machine(slowFor(2));
    t.teardown(() => machine.close());
    const runner = machine.start();
    while (!runner.says('attempt-placed', 'work')) await sleep(50);
    const runId = runOf(machine.home) ?? '';
    const job = ['job', jobOf(runId, 'work', 1), '-n', site.namespace];
    const found = JSON.parse(await kubectl(['get', ...job, '-o', 'json'])) as JobObject;
    await runner.ended;
    const { name, labels, annotations } = found.metadata;
    const { spec } = found.spec.template;
    for (const args of [
      ['resume', runId],
      ['serve', '--listen', '127.0.0.1:0'],
    ]) {
      await kubectl(['create', '-f', '-'], {
        ...{ apiVersion: 'batch/v1', kind: 'Job' },
        metadata: { name, namespace: site.namespace, labels, annotations },
        spec: { suspend: true, template: { spec } },
      });
      const next = machine.sluice(args);
      while ((await kubectl(['get', ...job, '--ignore-not-found', '-o', 'name'])) !== '') await sleep(500);
      await (args[0] === 'serve' ? next.kill() : next.ended);
      t.pass();
    }
  }),
);

/** Kills one runner after the other, and lets a last one finish. Every kill has to hit a runner that lives. */
async function killAlong(t: ExecutionContext, chain: readonly Moment[]): Promise<void> {
  t.timeout(300_000);
  const machine = await site.machine(everything, secrets);
  try {
    for (const moment of chain) {
      const runId = runOf(machine.home);
      const runner = runId === undefined ? machine.start() : machine.resume(runId);
      if (!(await killWhen(machine, runner, moment))) break;
    }
    const runId = runOf(machine.home) ?? '';
    const last = machine.resume(runId);
    await last.ended;
    const { events } = readHome(machine.home, runId);
    t.is(events.at(-1)?.verdict?.outcome, 'succeeded', `${JSON.stringify(events)}\n${last.lastWords}`);
    t.deepEqual(await machine.check(runId, { costs: [] }), []);
    const killed = machine.runners.length - 1;
    t.true(killed > 0);
    t.log(`${killed} runners were killed`);
  } finally {
    await machine.close();
  }
}

/** False when the run was over before. A moment that came before this runner counts once it has begun to go on. */
async function killWhen(machine: Machine, runner: Runner, moment: Moment): Promise<boolean> {
  for (;;) {
    const runId = runner.runId ?? runOf(machine.home);
    const came = runner.told.length > 0 && moment.came({ site, machine, runner, runId });
    if (!came && runner.running) {
      await sleep(3);
      continue;
    }
    await runner.kill();
    return came;
  }
}
