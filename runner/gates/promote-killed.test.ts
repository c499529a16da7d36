import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ChildOrder } from './promotion-child-fixture.ts';
import { startMachine } from './promotion-fixture.ts';
import type { PromotionBackend, PromotionMachine } from './promotion-fixture.ts';

let machine: PromotionMachine;
test.before(async () => {
  machine = await startMachine();
});
test.after.always(() => machine.close());

type End = 'killed' | 'promoted' | { readonly refused: string };

/** Promotes in a process of its own. */
function promoteInChild(order: ChildOrder): Promise<End> {
  const program = fileURLToPath(new URL('promotion-child-fixture.ts', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [program, JSON.stringify(order)], (error, stdout) => {
      if (error === null) resolve('promoted');
      else resolve(error.signal === 'SIGKILL' ? 'killed' : { refused: stdout });
    });
  });
}

async function firstRelease(name: string): Promise<PromotionBackend> {
  const backend = await machine.backend(name);
  const end = await promoteInChild(await backend.tested());
  if (end !== 'promoted') throw new Error(`the first release does not go live: ${JSON.stringify(end)}`);
  return backend;
}

// Between two changes a promotion only looks, so a death behind one is a death in front of the next.

test.serial('killed behind any of its changes and repeated, a promotion ends live, with one switch', async (t) => {
  t.timeout(300_000);
  const backend = await firstRelease('there');
  let live = 'r1';
  for (let call = 1; ; call += 1) {
    const order = await backend.tested();
    const traffic = backend.traffic();
    const first = await promoteInChild({ ...order, kill: call });
    if (first !== 'killed') {
      await traffic.stop();
      t.is(first, 'promoted');
      t.true(call > 9, `${call - 1} points`);
      return;
    }
    t.is(await promoteInChild(order), 'promoted', `killed at change ${call}`);
    const next = `r${call + 1}`;
    t.deepEqual(await traffic.stop(), [`200 ${live}`, `200 ${next}`], `killed at change ${call}`);
    t.like(await backend.production(), { live: next, previous: live, held: [], promotion: { state: 'promoted' } });
    t.deepEqual(await backend.running(), [live, next].toSorted());
    live = next;
  }
});

test.serial('killed behind any change of its way back and repeated, a promotion ends where it began', async (t) => {
  t.timeout(300_000);
  const backend = await firstRelease('back');
  for (let call = 1; ; call += 1) {
    const flag = join(machine.folder, `flag-${randomBytes(6).toString('hex')}`);
    const order = { ...(await backend.tested({ FAULT: 'errors', FLAG: flag })), flag };
    const traffic = backend.traffic();
    const first = await promoteInChild({ ...order, kill: call, from: 'confirm-release' });
    const last = first === 'killed' ? await promoteInChild(order) : first;
    t.regex(typeof last === 'object' ? last.refused : last, /did not hold|was taken back/);
    t.like(await backend.production(), { live: 'r1', promotion: { state: 'rolled-back' } });
    t.true((await backend.production()).held.includes(order.commit));
    const seen = await traffic.stop();
    t.is(seen.at(-1), '200 r1');
    t.is(seen.filter((each) => each === '200 r1').length, 2, 'there and back, once each');
    t.deepEqual(await backend.running(), ['r1']);
    if (first === 'killed') continue;
    t.true(call > 6, `${call - 1} points`);
    return;
  }
});
