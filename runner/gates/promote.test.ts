import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../model/errors.ts';
import type { Site } from '../environments/site.ts';
import { startMachine, promote } from './promotion-fixture.ts';
import type { PromotionBackend, PromotionMachine, PromotionOptions, PromotionOrder } from './promotion-fixture.ts';

let machine: PromotionMachine;
test.before(async () => {
  machine = await startMachine();
});
test.after.always(() => machine.close());

let count = 0;

/** A backend of its own, with r1 in production. */
async function liveBackend(): Promise<PromotionBackend> {
  const backend = await machine.backend(`shop-${(count += 1)}`);
  await promote(await backend.tested(), backend.site);
  return backend;
}

/** A file that makes `after` faults begin, once it is touched. */
function flagFile(): { readonly path: string; readonly raise: () => void } {
  const path = join(machine.folder, `flag-${(count += 1)}`);
  return { path, raise: () => writeFileSync(path, '') };
}

async function refused(
  t: ExecutionContext,
  backend: PromotionBackend,
  order: PromotionOrder,
  options: PromotionOptions = {},
): Promise<string> {
  const error = await t.throwsAsync(promote(order, backend.site, options), { instanceOf: SluiceError });
  t.is(error.code, 'ERR_GATE');
  return error.message;
}

test.serial('a tested release goes live, the one before is kept warm, and older ones end', async (t) => {
  const backend = await liveBackend();
  for (const name of ['r2', 'r3']) {
    const traffic = backend.traffic();
    await promote(await backend.tested(), backend.site);
    const before = name === 'r2' ? 'r1' : 'r2';
    t.deepEqual(await traffic.stop(), [`200 ${before}`, `200 ${name}`]);
    t.like(await backend.production(), { live: name, previous: before, held: [], promotion: { state: 'promoted' } });
  }
  t.deepEqual(await backend.running(), ['r2', 'r3']);
});

test.serial('a release that does not start in production gets no traffic, and the next one goes on', async (t) => {
  const backend = await liveBackend();
  const traffic = backend.traffic();
  const order = await backend.tested({ FAULT: 'start' });
  t.regex(await refused(t, backend, order), /r2 does not start.*production has no such table/s);
  t.like(await backend.production(), { live: 'r1', held: [], promotion: { state: 'aborted' } });
  t.deepEqual(await backend.running(), ['r1']);
  t.deepEqual(await traffic.stop(), ['200 r1']);
  await promote(await backend.tested(), backend.site);
  t.is((await backend.production()).live, 'r3');
});

const soakFaults: readonly (readonly [what: string, fault: string, soak: string, message: RegExp])[] = [
  ['answers with errors', 'errors', '10s', /3 requests in a row went wrong.*500 from r2/],
  ['answers with some errors', 'some errors', '3s', /requests (in a row )?went wrong/],
  ['is slow', 'slow', '3s', /95 of 100 answers take up to 1\d\d\d ms/],
  ['crashes', 'crash', '10s', /3 requests in a row went wrong.*502|ended with exit code 1/s],
];

for (const [what, fault, soak, message] of soakFaults) {
  test.serial(`a release that ${what} under traffic is taken back, and its commit is held`, async (t) => {
    const backend = await liveBackend();
    const flag = flagFile();
    const order = await backend.tested({ FAULT: fault, FLAG: flag.path });
    const times: number[] = [];
    const traffic = backend.traffic();
    const told = await refused(t, backend, order, {
      soak,
      before: (name) => name === 'confirm-release' && flag.raise(),
      say: (line) => /does not hold|again$/.test(line) && times.push(performance.now()),
    });
    t.regex(told, message);
    t.like(await backend.production(), { live: 'r1', held: [order.commit], promotion: { state: 'rolled-back' } });
    const seen = await traffic.stop();
    t.deepEqual([seen.at(0), seen.at(-1)], ['200 r1', '200 r1']);
    t.deepEqual(
      seen.filter((each) => each.endsWith('r1') && !each.startsWith('200')),
      [],
    );
    t.deepEqual(await backend.running(), ['r1']);
    const [verdict = 0, back = 0] = times;
    t.log(`back ${Math.round(back - verdict)} ms after the verdict`);
    await promote(await backend.tested(), backend.site);
    t.like(await backend.production(), { live: 'r3', held: [order.commit] });
  });
}

test.serial('a healthy release is taken back without a failed request', async (t) => {
  const backend = await liveBackend();
  const stopping = new AbortController();
  const traffic = backend.traffic();
  const order = await backend.tested();
  const told = await refused(t, backend, order, {
    soak: '1m',
    signal: stopping.signal,
    before: (name) => name === 'confirm-release' && setTimeout(() => stopping.abort(), 500),
  });
  t.regex(told, /the step was stopped/);
  t.deepEqual(await traffic.stop(), ['200 r1', '200 r2', '200 r1']);
  t.like(await backend.production(), { live: 'r1', promotion: { state: 'rolled-back' } });
  t.deepEqual((await backend.production()).held, [], 'nobody has shown that the commit is bad');
});

test.serial('one slow answer of the few of a short soak may be an accident', async (t) => {
  const backend = await liveBackend();
  let waits = 0;
  const site = withAsk(backend.site, async (ask) => {
    await sleep(waits);
    waits = 0;
    return ask();
  });
  await promote(await backend.tested(), site, {
    soak: '2s',
    before: (name) => name === 'confirm-release' && (waits = 600),
  });
  t.is(waits, 0);
  t.like(await backend.production(), { live: 'r2', promotion: { state: 'promoted' } });
});

/** A site whose answers come in another way. */
function withAsk(site: Site, change: (ask: () => ReturnType<Site['ask']>) => ReturnType<Site['ask']>): Site {
  return new Proxy(site, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      const call = (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args) as unknown;
      return name === 'ask' ? (...args: Parameters<Site['ask']>) => change(() => target.ask(...args)) : call;
    },
  });
}

const displaced = new SluiceError('ERR_DISPLACED', 'its node is drained');

test.serial('a pod that is taken away during the soak changes nothing: the next attempt goes on with it', async (t) => {
  const backend = await liveBackend();
  const ending = new AbortController();
  const traffic = backend.traffic();
  const order = await backend.tested();
  const before: PromotionOptions['before'] = (name) =>
    name === 'confirm-release' && setTimeout(() => ending.abort(displaced), 500);
  await t.throwsAsync(promote(order, backend.site, { soak: '3s', signal: ending.signal, before }), { is: displaced });
  t.like(await backend.production(), { live: 'r1', held: [], promotion: { state: 'soaking' } });
  await promote(order, backend.site);
  t.deepEqual(await traffic.stop(), ['200 r1', '200 r2']);
  t.like(await backend.production(), { live: 'r2', held: [], promotion: { state: 'promoted' } });
});

test.serial('a pod that is taken away once traffic has moved changes nothing: the next attempt goes on', async (t) => {
  const backend = await liveBackend();
  const ending = new AbortController();
  const traffic = backend.traffic();
  const order = await backend.tested();
  const site = silentAfterRoute(backend.site, () => ending.abort(displaced));
  await t.throwsAsync(promote(order, site, { signal: ending.signal }), { is: displaced });
  t.like(await backend.production(), { live: 'r1', held: [], promotion: { state: 'switching' } });
  await promote(order, backend.site);
  t.deepEqual(await traffic.stop(), ['200 r1', '200 r2']);
  t.like(await backend.production(), { live: 'r2', held: [], promotion: { state: 'promoted' } });
});

/** A site that moves traffic, and gives no answer from then on. */
function silentAfterRoute(site: Site, moved: () => void): Site {
  let isSilent = false;
  return new Proxy(site, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        if (isSilent && name === 'ask') return undefined;
        const answer = (await Reflect.apply(value, target, args)) as unknown;
        if (name === 'route') {
          isSilent = true;
          moved();
        }
        return answer;
      };
    },
  });
}

test.serial('a first release that does not hold stays where it is, since there is nothing to go back to', async (t) => {
  const backend = await machine.backend(`shop-${(count += 1)}`);
  const flag = flagFile();
  const order = await backend.tested({ FAULT: 'errors', FLAG: flag.path });
  const raise: PromotionOptions['before'] = (name) => name === 'confirm-release' && flag.raise();
  t.regex(await refused(t, backend, order, { before: raise, soak: '10s' }), /r1 did not hold/);
  t.like(await backend.production(), { held: [order.commit], promotion: { state: 'stuck' } });
  t.is((await backend.production()).live, undefined);
  t.regex(await refused(t, backend, await backend.tested({ FAULT: 'start' })), /r2 does not start/);
  t.deepEqual(await backend.running(), ['r1'], 'what the address leads to is not ended');
  await promote(await backend.tested(), backend.site);
  t.is((await backend.production()).live, 'r3');
  t.deepEqual(await backend.running(), ['r3']);
});

test.serial(
  'a release whose tests did not pass, a commit that was taken back and an older release are refused',
  async (t) => {
    const backend = await liveBackend();
    const old = await backend.tested();
    await promote(await backend.tested(), backend.site);
    t.regex(await refused(t, backend, old), /r3 is live, which is newer than r2/);
    t.regex(await refused(t, backend, { ...old, run: 'unknown' }), /this run has made no release/);
  },
);

test.serial('an operation that comes too early says which one is missing', async (t) => {
  const backend = await liveBackend();
  const order = await backend.tested();
  const error = await t.throwsAsync(
    promote(order, backend.site, {
      before: (name) => {
        if (name === 'prepare-production') throw new SluiceError('ERR_ABORTED', 'enough');
      },
    }),
  );
  t.is(error.message, 'enough');
  const { switchTraffic, confirmRelease } = await import('./promote.ts');
  const { contextOf } = await import('./promotion-fixture.ts');
  for (const operation of [switchTraffic, confirmRelease]) {
    await t.throwsAsync(operation(contextOf(order, backend.site)), { code: 'ERR_GATE', message: /not that far/ });
  }
  t.is((await backend.production()).live, 'r1');
});

/** A site on which the first call that fits waits for a word. */
function holdBack(site: Site, fits: (call: string, args: readonly unknown[]) => boolean) {
  const [reached, released] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const slow = new Proxy(site, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        if (fits(String(name), args)) {
          reached.resolve(undefined);
          await released.promise;
        }
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
  return { slow, reached: reached.promise, release: () => released.resolve(undefined) };
}

const moments: readonly (readonly [when: string, fits: (call: string, args: readonly unknown[]) => boolean])[] = [
  ['takes its fence', (call, [name]) => call === 'write' && name === 'fence-production'],
  ['writes that it switches', (call, args) => call === 'write' && JSON.stringify(args).includes('"state":"switching"')],
  ['switches', (call) => call === 'route'],
];

for (const [when, fits] of moments) {
  test.serial(`a holder that stood still before it ${when} moves nothing once another took over`, async (t) => {
    const backend = await liveBackend();
    const { slow, reached, release } = holdBack(backend.site, fits);
    const late = t.throwsAsync(promote(await backend.tested(), slow), { instanceOf: SluiceError });
    await reached;
    const traffic = backend.traffic();
    await promote(await backend.tested(), backend.site);
    release();
    t.is((await late).code, 'ERR_FENCED');
    t.deepEqual(await traffic.stop(), ['200 r1', '200 r3']);
    t.like(await backend.production(), { live: 'r3', previous: 'r1', promotion: { state: 'promoted' } });
  });
}

test('only branches of the policy go to production, and that is the policy of the live release', async (t) => {
  const backend = await machine.backend(`shop-${(count += 1)}`);
  const { site } = backend;
  const withPolicy = (...branches: readonly string[]): Site =>
    new Proxy(site, {
      get: (target, key) => {
        if (key === 'backend') return { ...target.backend, ...(branches.length > 0 && { promote: { branches } }) };
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const refusal = async (policed: Site, branch: string): Promise<string> =>
    (await t.throwsAsync(promote(await backend.tested(), policed, { branch }), { code: 'ERR_GATE' })).message;

  t.regex(
    await refusal(withPolicy('main'), 'topic'),
    /^the branch topic may not go to production: the pipeline file lets main pass$/,
  );
  await promote(await backend.tested(), withPolicy('main', 'release/*'), { branch: 'release/1' });

  const opened = withPolicy('topic');
  t.regex(await refusal(opened, 'topic'), /the pipeline file of r\d+, which is live, lets main, release\/\* pass$/);
  t.regex(await refusal(withPolicy(), 'topic'), /^the branch topic may not/);
  t.regex(await refusal(opened, ''), /^a commit that was not pushed to a branch may not/);

  await promote(await backend.tested(), opened);
  await promote(await backend.tested(), withPolicy(), { branch: 'topic' });
  await promote(await backend.tested(), withPolicy(), { branch: 'anything' });
});
