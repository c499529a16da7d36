import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { jobOf } from './check-cluster.ts';
import { FaultSite } from './fault-site.ts';
import type { Machine } from './fault-site.ts';
import { faultTest, home } from './fault-test.ts';
import { everything, secrets } from './pipelines.ts';
import { countRows, logFile, runOf, sizeOf } from './read-home.ts';
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

const told = (type: string, step?: string): Moment['came'] => (scene) => scene.runner.says(type, step);

const wrote = (verb: string, resource: string, step: string, attempt = 1): Moment['came'] => ({ site, runId }) =>
  site.audit
    .read()
    .some((write) => write.verb === verb && write.resource === resource && write.name === jobOf(runId ?? '', step, attempt));

const container = (step: string, field: 'startedAt' | 'finishedAt'): Moment['came'] => ({ site, runId }) =>
  site.recorder.pods.some((pod) => pod.job === jobOf(runId ?? '', step, 1) && pod[field] !== undefined);

const logged = (step: string, bytes: number): Moment['came'] => ({ machine, runId }) =>
  runId !== undefined && sizeOf(logFile(machine.home, runId, step, 1)) > bytes;

const stored = (table: Parameters<typeof countRows>[1]): Moment['came'] => ({ machine }) =>
  countRows(machine.home, table) > 0;

const moments: readonly Moment[] = [
  { name: 'run.plan after', came: told('run-created') },
  { name: 'step.claim', came: told('attempt-started', 'build') },
  { name: 'job.create after', came: wrote('create', 'jobs', 'build') },
  { name: 'job.create after, of a step that waits prepared', came: wrote('create', 'jobs', 'tests') },
  { name: 'secret.created', came: wrote('create', 'secrets', 'flaky') },
  { name: 'pod.seen', came: container('build', 'startedAt') },
  { name: 'job.recorded', came: told('attempt-placed', 'build') },
  { name: 'job.recorded, of the second attempt', came: wrote('create', 'jobs', 'flaky', 2) },
  { name: 'log.open', came: logged('build', 0) },
  { name: 'log.chunk stored', came: logged('build', 1_500) },
  { name: 'log.chunk stored, with secrets', came: logged('flaky', 1_000) },
  { name: 'artefact.open', came: ({ machine }) => incoming(machine).length > 0 },
  { name: 'step.word', came: told('attempt-reported', 'build') },
  { name: 'step.final before', came: container('build', 'finishedAt') },
  { name: 'step.final before, with secrets', came: container('flaky', 'finishedAt') },
  { name: 'artefact.recorded', came: stored('attempt_artifacts') },
  { name: 'step.final after', came: told('attempt-finished', 'build') },
  { name: 'next.enqueued', came: told('attempt-started', 'tests') },
  { name: 'job.deleted', came: wrote('delete', 'jobs', 'build') },
  { name: 'junit.stored', came: stored('test_chunks') },
  { name: 'step.claim, of the last', came: told('attempt-placed', 'last') },
  { name: 'step.claim, of finally', came: told('attempt-started', 'clean') },
  { name: 'run.final before', came: container('clean', 'finishedAt') },
];

function incoming({ home: folder }: Machine): readonly string[] {
  try {
    return readdirSync(join(folder, 'blobs', 'incoming'));
  } catch {
    return [];
  }
}

let site: FaultSite;
test.before(async () => {
  if (home !== undefined) site = await FaultSite.open(home);
});
test.after.always(() => site?.close());

for (const [index, moment] of moments.entries()) {
  faultTest(`E7: kill -9 at "${moment.name}" loses nothing`, (t) =>
    site.slots.add(() => killAt(t, [moment, moments[(index * 7 + 5) % moments.length]])),
  );
}

/** Kills a runner at the first moment, the one that resumes at the second or a bit later, and lets a third finish. */
async function killAt(t: ExecutionContext, [first, second]: readonly (Moment | undefined)[]): Promise<void> {
  t.timeout(300_000);
  const machine = await site.machine(everything, secrets);
  try {
    const came = await killWhen(machine, machine.start(), first);
    t.true(came, `"${first?.name}" never came: ${machine.runners[0]?.lastWords}`);
    const runId = runOf(machine.home);
    if (runId === undefined) return t.fail('killed before there was a run');
    await killWhen(machine, machine.resume(runId), second);
    const code = await machine.resume(runId).ended;
    t.true(code === 0 || machine.runners.some((runner) => runner.says('run-finished')), machine.runners.at(-1)?.lastWords);
    t.deepEqual(await machine.check(runId), []);
  } finally {
    await machine.close();
  }
}

/** False when the run was over before. */
async function killWhen(machine: Machine, runner: Runner, moment: Moment | undefined): Promise<boolean> {
  for (;;) {
    const runId = runner.runId ?? runOf(machine.home);
    const came = moment?.came({ site, machine, runner, runId }) === true;
    if (!came && runner.running) {
      await sleep(3);
      continue;
    }
    await runner.kill();
    return came;
  }
}
