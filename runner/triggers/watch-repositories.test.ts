import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Repository } from '../store/intake.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { SeenRemote } from './pull-refs.ts';
import { watchRepositories } from './watch-repositories.ts';

const [before, after] = ['a'.repeat(40), 'b'.repeat(40)];
const mainAt = (commit: string): SeenRemote => ({ refs: new Map([['refs/heads/main', commit]]), head: undefined });

/** Repositories that are looked at every second, by as many servers, until the test lets go. */
async function setUp(t: ExecutionContext, names: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-watch-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const store = await openSqliteStore({ file: join(folder, 'sluice.db'), clock: Date.now, isAlive: () => true });
  t.teardown(() => store.close());
  for (const name of names)
    await store.addRepository({
      ...{ id: name, name, forge: 'git', forgeId: '', cloneUrl: `https://git.example/${name}.git` },
      ...{ file: 'sluice.yaml', forks: 'run', secrets: '', createdAt: 1 },
    });
  const trouble = (message: string) => t.fail(message);
  const logger = { error: trouble, warn: trouble, info: () => undefined, debug: () => undefined };
  let count = 0;
  const newRunId = () => `run-${(count += 1)}`;
  const stop = new AbortController();
  const watchOne = (refsOf: (repository: Repository) => Promise<SeenRemote>) => {
    const parts = { intake: store, watch: store, clock: Date.now, notifyOf: () => [], newRunId, logger };
    const schedulesOf = () => Promise.resolve([]);
    return watchRepositories({ ...parts, refsOf, schedulesOf }, 1_000, stop.signal);
  };
  return { store, stop, watchOne };
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await sleep(50);
}

test('a remote that hangs is asked once at a time and holds up none of the others', async (t) => {
  const { stop, watchOne } = await setUp(t, ['hangs', 'answers']);
  const asked: string[] = [];
  const hanging = Promise.withResolvers<undefined>();
  const watching = watchOne(async ({ name }) => {
    asked.push(name);
    if (name === 'hangs') await hanging.promise;
    return mainAt(before);
  });
  await until(() => asked.filter((name) => name === 'answers').length === 3);
  t.is(asked.filter((name) => name === 'hangs').length, 1);
  stop.abort();
  hanging.resolve(undefined);
  await watching;
});

test('of two servers that look at once the slower one takes nothing back, and what moved is run once', async (t) => {
  const { store, stop, watchOne } = await setUp(t, ['shop']);
  const slow = Promise.withResolvers<undefined>();
  let asked = 0;
  const refsOf = async () => {
    asked += 1;
    if (asked !== 2) return mainAt(asked === 1 ? before : after);
    await slow.promise;
    return mainAt(before);
  };
  const watching = [watchOne(refsOf), watchOne(refsOf)];
  await until(() => asked === 4);
  slow.resolve(undefined);
  await until(() => asked === 6);
  stop.abort();
  await Promise.all(watching);
  t.is((await store.runs({})).length, 1);
});
