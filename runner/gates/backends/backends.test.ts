import test from 'ava';
import { LocalBackends } from '../../environments/local/local-backends.ts';
import { SluiceError } from '../../model/errors.ts';
import { known } from '../../environments/backends.ts';
import { promote, startMachine } from '../promotion-fixture.ts';
import type { PromotionBackend, PromotionMachine, PromotionOrder } from '../promotion-fixture.ts';
import { presentFence } from '../fence.ts';
import { readProduction, writeProduction } from '../production.ts';
import { recordMigration, releaseOfRun } from '../records.ts';
import { explainProduction } from './explain-production.ts';
import { reconcileBackend } from './reconcile.ts';
import { rollBackProduction } from './roll-back.ts';
import { backendStatus } from './status.ts';

let machine: PromotionMachine;
test.before(async () => {
  machine = await startMachine();
});
test.after.always(() => machine.close());

const context = (backend: PromotionBackend) => ({
  site: backend.site,
  say: () => undefined,
  clock: Date.now,
  signal: new AbortController().signal,
});
const wish = { by: 'token:ada', reason: 'orders are lost' };

/** A backend with as many promoted releases. */
async function promoted(name: string, count: number) {
  const backend = await machine.backend(name);
  const orders: PromotionOrder[] = [];
  for (let each = 0; each < count; each += 1) {
    const order = await backend.tested();
    await promote(order, backend.site);
    orders.push(order);
  }
  const [first] = orders;
  if (first === undefined) throw new Error('nothing was promoted');
  const backends = new LocalBackends({ folder: first.folder, supervisor: { argv: ['false'], env: {} } });
  return { backend, backends, orders, last: orders.at(-1) ?? first };
}

function refusal(error: unknown): Readonly<Record<string, unknown>> {
  return error instanceof SluiceError ? { code: error.code, message: error.message } : { error };
}

test('R000-20: production is rolled back to the release before without a failed request, and its commit is held', async (t) => {
  const { backend, last } = await promoted('rolled', 2);
  const traffic = backend.traffic();
  const production = await rollBackProduction(context(backend), wish);
  t.deepEqual(await traffic.stop(), ['200 r2', '200 r1']);
  t.like(production, { live: 'r1', held: [last.commit] });
  t.like(production.promotion, {
    release: 'r2',
    from: 'r1',
    state: 'rolled-back',
    because: 'token:ada asked for it: orders are lost',
  });
  t.is(production.previous, undefined);
  t.deepEqual(await backend.production(), production);
  t.deepEqual(await backend.running(), ['r1']);
  t.deepEqual(refusal(await t.throwsAsync(rollBackProduction(context(backend), wish))), {
    code: 'ERR_GATE',
    message: 'there is no release behind r1 to go back to',
  });
  // The next one goes through, and is the way back of nobody but itself.
  await promote(await backend.tested(), backend.site);
  t.like(await backend.production(), { live: 'r3', previous: 'r1' });
});

test('production is not rolled back to a release whose tests did not pass on the present schema', async (t) => {
  const { backend, last } = await promoted('migrated', 2);
  await recordMigration(backend.site, last.run, { script: 'true', fingerprint: 'new', change: 'contract' });
  const record = await readProduction(backend.site);
  await writeProduction(backend.site, record, { ...record.production, migrated: 'r2' });
  t.deepEqual(refusal(await t.throwsAsync(rollBackProduction(context(backend), wish))), {
    code: 'ERR_GATE',
    message: 'the tests of r1 did not pass on the present schema, which r2 made',
  });
  t.like(await backend.production(), { live: 'r2', previous: 'r1', held: [] });
  t.is(await backend.site.routed('production'), 'r2');
});

test('production is not rolled back while a promotion is under way', async (t) => {
  const { backend } = await promoted('busy', 2);
  const record = await readProduction(backend.site);
  const { promotion } = record.production;
  if (promotion === undefined) return t.fail();
  await writeProduction(backend.site, record, { ...record.production, promotion: { ...promotion, state: 'soaking' } });
  t.like(refusal(await t.throwsAsync(rollBackProduction(context(backend), wish))), { code: 'ERR_CONFLICT' });
  t.is(await backend.site.routed('production'), 'r2');
});

test('a backend is shown with what runs, where, how, and its last promotion', async (t) => {
  const { backends, orders } = await promoted('shown', 2);
  const status = await backendStatus(backends, await known(backends, 'shown'));
  const [, production] = status.environments;
  t.like(production, { environment: 'production', routed: 'r2' });
  t.deepEqual(
    production?.releases.map(({ release, commit, health }) => [release, commit, health.state]),
    orders.map(({ commit }, index) => [`r${index + 1}`, commit, 'healthy']),
  );
  t.like(status.production, { live: 'r2', previous: 'r1', promotion: { state: 'promoted' } });
});

test('what should run is brought back, and traffic to where the record says', async (t) => {
  const { backend, backends, orders } = await promoted('mended', 2);
  const first = await releaseOfRun(backend.site, orders[0]?.run ?? '');
  if (first === undefined) return t.fail();
  await backend.site.route('production', first, await presentFence(backend.site, 'production'));
  await backend.site.keep('production', ['r1']);
  const mended = await known(backends, 'mended');
  await reconcileBackend(backends, mended);
  t.is(await backend.site.routed('production'), 'r2');
  t.deepEqual(await backend.running(), ['r1', 'r2']);
  // A greater fence is somebody's who came meanwhile.
  await backend.site.route('production', first, 1_000);
  t.is(refusal(await t.throwsAsync(reconcileBackend(backends, mended)))['code'], 'ERR_FENCED');
});

test('a commit is told where it is on its way to production', async (t) => {
  const { backend, orders } = await promoted('asked', 2);
  const ask = async ({ run, commit }: Pick<PromotionOrder, 'run' | 'commit'>) => {
    const { place, answer } = await explainProduction(backend.site, { run, commit, obstacle: 'It failed.' });
    return [place, answer];
  };
  const [first, second] = orders;
  if (first === undefined || second === undefined) return t.fail();
  t.deepEqual(await ask(second), ['live', 'It is live as r2.']);
  t.deepEqual(await ask(first), ['superseded', 'r2 is live, which is newer than r1.']);
  t.deepEqual(await ask({ run: 'other', commit: 'f'.repeat(40) }), [
    'no-release',
    'The run has made no release of it. It failed.',
  ]);
  const third = await backend.tested();
  t.deepEqual(await ask(third), ['not-promoted', 'r3 passed its tests, and nobody has promoted it. It failed.']);
  await backend.site.write('tests-r3', { run: 'another' }, (await backend.site.read('tests-r3'))?.version);
  t.deepEqual(await ask(third), ['untested', 'r3 has not passed its tests. It failed.']);
  await rollBackProduction(context(backend), wish);
  t.deepEqual(await ask(second), [
    'held',
    'It was taken back from production: token:ada asked for it: orders are lost. Push a commit that mends it.',
  ]);
  t.deepEqual(await ask(first), ['live', 'It is live as r1.']);
  const failing = await backend.tested({ FAULT: 'start' });
  await t.throwsAsync(promote(failing, backend.site));
  const [place, answer] = await ask(failing);
  t.is(place, 'taken-back');
  t.regex(answer ?? '', /^r4 never got traffic: .*production has no such table/s);
});
