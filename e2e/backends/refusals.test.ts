import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { fallsIllInProduction, startsInTestingOnly, takesAnything } from './faulty-servers.ts';
import { backendTest, decided, stepOf, TestBackend, verdicts } from './test-backend.ts';
import { Traffic } from './traffic.ts';

/** A pod that was told to end is gone by then. */
const goneMs = 8_000;

/** A backend whose first release is live, and users that ask it all the time from now on. */
async function liveBackend(t: ExecutionContext): Promise<{ readonly backend: TestBackend; readonly traffic: Traffic }> {
  const backend = await TestBackend.open(t, 'node');
  const report = await backend.run();
  t.is(report.outcome, 'succeeded', verdicts(report));
  const traffic = new Traffic(backend, '/tasks');
  t.teardown(() => traffic.stop());
  return { backend, traffic };
}

backendTest(
  'E2, E2b, R000-18: code that fails a test, a check or its start in testing never reaches production, and the report says why',
  async (t) => {
    const { backend, traffic } = await liveBackend(t);
    const good = backend.read('server.js');

    await backend.commit({ 'server.js': `${good}\nconst = 1;` });
    const invalid = await backend.run();
    t.deepEqual(decided(invalid), {
      outcome: 'failed',
      step: 'validate/check',
      reason: 'exit_code',
      message: 'exit code 1',
    });
    t.regex(await backend.log(invalid.runId, 'validate/check'), /SyntaxError/);
    t.is(stepOf(invalid, 'migrate/build').outcome, 'skipped');

    await backend.commit({ 'server.js': takesAnything(good) });
    const untested = await backend.run();
    t.like(decided(untested), { outcome: 'failed', step: 'run-tests/test', reason: 'tests_failed' });
    t.is(stepOf(untested, 'promote/check').outcome, 'skipped');
    t.is(await backend.evidence('r2'), undefined);
    // It is there to be looked at, where nobody but its testers are.
    t.like(await backend.ask('/healthz', { testing: true }), { status: 200, release: 'r2' });

    await traffic.stop();
    t.true(traffic.served.length > 100);
    t.deepEqual(traffic.failed, []);
    t.deepEqual(traffic.releases, ['r1']);
    t.like(await backend.production(), { live: 'r1', held: [], promotion: { release: 'r1' } });
    t.deepEqual(
      await backend.objects('deployments', '-l', 'sluice.dev/environment=production,sluice.dev/release!=r1'),
      [],
    );
  },
);

backendTest(
  'E3, R000-20: what passes its tests and does not start in production never gets traffic, and the next commit goes through',
  async (t) => {
    const { backend, traffic } = await liveBackend(t);
    const good = backend.read('server.js');
    await backend.commit({ 'server.js': startsInTestingOnly(good) });
    const report = await backend.run();
    t.like(decided(report), { outcome: 'failed', step: 'promote/prepare' });
    t.regex(await backend.log(report.runId, 'promote/prepare'), /PAYMENT_KEY is not set/);
    t.like(await backend.production(), { live: 'r1', held: [], promotion: { release: 'r2', state: 'aborted' } });
    t.deepEqual(
      await backend.objects('deployments', '-l', 'sluice.dev/environment=production,sluice.dev/release!=r1'),
      [],
    );
    await backend.commit({ 'server.js': good });
    const next = await backend.run();
    t.is(next.outcome, 'succeeded', verdicts(next));
    await traffic.stop();
    t.deepEqual(traffic.failed, []);
    t.deepEqual(traffic.releases, ['r1', 'r3']);
  },
);

backendTest(
  'E3, R000-19, R000-20: what does not hold in production is taken back while users notice nothing; its commit is held, the next one goes through',
  async (t) => {
    const { backend, traffic } = await liveBackend(t);
    const good = backend.read('server.js');
    const held = await backend.commit({ 'server.js': fallsIllInProduction(good) });
    const report = await backend.run();
    t.like(decided(report), { outcome: 'failed', step: 'promote/confirm' });
    t.regex(
      await backend.log(report.runId, 'promote/confirm'),
      /r2 did not hold in production: 3 requests in a row went wrong, the last one: 500 from r2/,
    );
    const { promotion, ...rest } = await backend.production();
    t.like(rest, { live: 'r1', held: [held] });
    t.like(promotion, { release: 'r2', from: 'r1', state: 'rolled-back' });
    const [verdict, back] = (['rolling-back', 'rolled-back'] as const).map((state) =>
      Date.parse(promotion?.times[state] ?? ''),
    );
    const lastOfBad = traffic.served.findLast(({ release }) => release === 'r2');
    t.log(
      `from the verdict to the last answer of the bad release ${(lastOfBad?.at ?? NaN) - (verdict ?? NaN)} ms, to proven answers of the one before ${(back ?? NaN) - (verdict ?? NaN)} ms`,
    );

    // The same commit again is held.
    const again = await backend.run();
    t.like(decided(again), { outcome: 'failed', step: 'promote/check' });
    t.regex(await backend.log(again.runId, 'promote/check'), /was taken back from production before/);
    t.like(await backend.ask('/healthz'), { status: 200, release: 'r1' });

    await backend.commit({ 'server.js': good });
    const next = await backend.run();
    t.is(next.outcome, 'succeeded', verdicts(next));

    // Whoever moves the pods of a release, such as a drained node, does not cut off its users.
    await backend.kubectl(['rollout', 'restart', 'deployment/api-r4']);
    await backend.kubectl(['rollout', 'status', 'deployment/api-r4']);
    await sleep(goneMs);
    await traffic.stop();
    t.deepEqual(traffic.failed, []);
    t.deepEqual(traffic.releases, ['r1', 'r2', 'r1', 'r4']);
  },
);
