import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Repository } from '../store/intake.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { lookAtRefs } from './look-at-refs.ts';

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
  const look = async (refs: Readonly<Record<string, string>>) => {
    now += 1_000_000;
    const turn = await store.takeLook(now, now);
    if (!turn) throw new Error('nobody has a turn');
    const remote = { refs: new Map(Object.entries(refs)), head: { commit: main, ref: 'refs/heads/main' } };
    await lookAtRefs(parts, turn, remote, now);
    return Promise.all(
      (await store.runs({})).map(async ({ runId }) => {
        const [event] = await store.events(runId);
        return event?.type === 'run-requested' ? event.request : undefined;
      }),
    );
  };
  return { look, store };
}

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
