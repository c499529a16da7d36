import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Repository } from '../store/intake.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { headOf } from './change-of.ts';
import { lookAtRefs } from './look-at-refs.ts';
import { branchRef } from './ref.ts';
import { submitRun } from './submit-run.ts';

const main = 'a'.repeat(40);
const topic = 'b'.repeat(40);
const foreign = 'c'.repeat(40);
const branches = { 'refs/heads/main': main, 'refs/heads/topic': topic };

/** A repository, and looks at it that find these refs. */
async function setUp(t: ExecutionContext, forks: Repository['forks'] = 'run') {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-look-'));
  t.teardown(() => rm(folder, { recursive: true }));
  let now = 1_000_000;
  const store = await openSqliteStore({ file: join(folder, 'sluice.db'), clock: () => now, isAlive: () => true });
  t.teardown(() => store.close());
  const shop: Repository = {
    ...{ id: 'shop-id', name: 'shop', forge: 'github', forgeId: '', cloneUrl: 'https://git.example/shop.git' },
    ...{ file: 'sluice.yaml', forks, secrets: '', createdAt: 1 },
  };
  await store.addRepository(shop);
  let count = 0;
  const parts = { watch: store, clock: () => now, notifyOf: () => [], newRunId: () => `run-${(count += 1)}` };
  /** What `meanwhile` does happens while the remote is asked. */
  const look = async (refs: Readonly<Record<string, string>>, meanwhile?: () => Promise<unknown>) => {
    now += 1_000_000;
    const startedAt = now;
    const turn = await store.takeLook(now, now);
    if (!turn) throw new Error('nobody has a turn');
    const seen = await store.seenRefs(shop.id);
    await meanwhile?.();
    const remote = { refs: new Map(Object.entries(refs)), head: { commit: main, ref: 'refs/heads/main' } };
    await lookAtRefs(parts, turn, { seen, remote, startedAt });
    return Promise.all(
      (await store.runs({})).map(async ({ runId }) => {
        const [event] = await store.events(runId);
        return event?.type === 'run-requested' ? event.request : undefined;
      }),
    );
  };
  /** A forge tells of a push that no look has seen. */
  const announce = (commit: string) => {
    const trigger = { event: 'push', ...branchRef('main'), commit, actor: 'ada' } as const;
    const head = headOf(trigger);
    const submission = { repository: shop, trigger, id: commit, by: 'push', ...(head !== undefined && { head }) };
    return submitRun({ ...parts, intake: store }, submission);
  };
  const setClock = (at: number) => void (now = at);
  return { look, store, announce, setClock };
}

test('a look that took longer than the next one takes nothing of it back', async (t) => {
  const { look } = await setUp(t);
  await look(branches);
  const moved = { ...branches, 'refs/heads/main': foreign };
  t.is((await look(branches, () => look(moved))).length, 1);
  t.is((await look(moved)).length, 1);
});

test('a branch that is deleted and made again, or forced back, is news each time', async (t) => {
  const { look } = await setUp(t);
  await look(branches);
  const without = { 'refs/heads/main': main };
  t.is((await look(without)).length, 0);
  t.is((await look(branches)).length, 1);
  t.is((await look({ ...branches, 'refs/heads/main': foreign })).length, 2);
  t.is((await look(branches)).length, 3);
});

test('a remote that has lost all its refs at once is not believed, and nothing is run anew when it has them again', async (t) => {
  const { look } = await setUp(t);
  await look(branches);
  await t.throwsAsync(look({}), { code: 'ERR_SOURCE', message: /has no ref any more/ });
  t.deepEqual(await look(branches), []);
  t.is((await look({ ...branches, 'refs/heads/main': foreign })).length, 1);
});

test('what was announced after a clock was set back is not run by a look too', async (t) => {
  const { look, announce, setClock } = await setUp(t);
  setClock(10_000_000_000);
  await look(branches);
  setClock(5_000_000_000);
  await announce(foreign);
  t.is((await look({ ...branches, 'refs/heads/main': foreign })).length, 1);
});

test('a ref with a name that Git does not allow starts nothing, and holds up none of the others', async (t) => {
  const { look } = await setUp(t);
  await look(branches);
  const strange = ['a b', '../etc', '.dot', 'a\u0007', 'ä/ö', '-rf'].map(
    (name) => [`refs/heads/${name}`, foreign] as const,
  );
  const found = await look({ ...branches, ...Object.fromEntries(strange) });
  t.deepEqual(found.map((request) => request?.trigger.branch).toSorted(), ['-rf', 'ä/ö']);
});

test('a pull request that nobody announced is run: of a branch here as one of ours, every other one as one of a fork', async (t) => {
  const { look } = await setUp(t);
  t.deepEqual(await look(branches), []);
  t.deepEqual(await look(branches), []);
  const [ours] = await look({ ...branches, 'refs/pull/7/head': topic });
  t.like(ours, {
    trigger: {
      ...{ event: 'pull_request', ref: 'refs/pull/7/head', branch: 'topic', commit: topic, actor: '' },
      pullRequest: { number: 7, base: 'main', fork: false },
    },
  });
  const [fork] = await look({ ...branches, 'refs/pull/7/head': topic, 'refs/pull/8/head': foreign });
  t.like(fork, { trigger: { commit: foreign, branch: '', pullRequest: { number: 8, fork: true } } });
  t.is((await look({ ...branches, 'refs/pull/7/head': topic, 'refs/pull/8/head': foreign })).length, 2);
  const [pushed] = await look({ ...branches, 'refs/merge-requests/9/head': foreign, 'refs/pull/7/head': foreign });
  t.is(pushed?.trigger.commit, foreign);
});

test('a pull request of a stranger starts nothing where forks start nothing, and waits where they wait', async (t) => {
  for (const [forks, expected] of [
    ['ignore', []],
    ['approve', [{ held: true }]],
    ['run', [{ held: undefined }]],
  ] as const) {
    const { look } = await setUp(t, forks);
    await look(branches);
    const found = await look({ ...branches, 'refs/pull/8/head': foreign });
    t.deepEqual(
      found.map((request) => ({ held: request?.held })),
      [...expected],
      forks,
    );
  }
});

test('pull requests from before they were looked at are only remembered', async (t) => {
  const { look } = await setUp(t);
  t.deepEqual(await look({ ...branches, 'refs/pull/1/head': foreign }), []);
  t.is((await look({ ...branches, 'refs/pull/1/head': foreign, 'refs/pull/2/head': foreign })).length, 1);

  // By a release that looked at branches and tags only.
  const { look: later, store } = await setUp(t);
  await store.takeLook(5, 5);
  await store.finishLook('shop-id', 5);
  const pushes = await later({ ...branches, 'refs/pull/1/head': foreign });
  t.deepEqual(
    pushes.map((request) => request?.trigger.event),
    ['push', 'push'],
  );
});
