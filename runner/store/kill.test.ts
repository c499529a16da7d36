import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { openBlobs } from './blobs.ts';
import { artifact, attempt, started } from './contract-data.ts';
import { isAlive, thisProcess } from './owner.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';

const child = fileURLToPath(new URL('store-child.ts', import.meta.url));

/** Where the child kills itself; a number is how many lines the parent reads before it kills, at no chosen moment. */
const places = {
  events: [
    'after 1 create table "events"',
    'before 1 insert into "schema_version"',
    'after 5 begin immediate',
    'after 5 update "runs"',
    'after 7 insert into "events"',
    'before 9 commit',
    'after 9 commit',
    'after 3 insert into "attempt_artifacts"',
    'after 3 insert into "caches"',
    ...[1, 40, 160],
  ],
  notices: [
    'before 3 insert into "outbox"',
    'after 3 insert into "outbox"',
    'before 12 commit',
    'after 12 commit',
    ...[1, 60],
  ],
  tests: [
    'after 2 insert into "test_saves"',
    'after 5 insert into "test_chunks"',
    'before 13 commit',
    'after 13 commit',
    'after 4 update "test_saves"',
    'after 4 delete from "test_saves"',
    ...[1, 3],
  ],
  blobs: [
    'before 2 mkdir',
    'after 2 mkdir',
    'after 7 writeFile',
    'before 4 sync',
    'after 4 sync',
    'before 5 rename',
    'after 5 rename',
    ...[1, 15, 50],
  ],
} as const;

for (const place of places.events) {
  test.serial(`R000-21: no acknowledged event is lost by kill -9 ${spoken(place)}`, async (t) => {
    const { folder, acknowledged } = await killed(t, 'events', place);
    checkDatabase(t, folder);
    const store = await reopen(t, folder);
    const version = Math.max(0, ...numbers(acknowledged, 'version'));
    if (version === 0) return;
    const events = await store.events('r1');
    t.true(events.length >= version);
    t.deepEqual(
      events.slice(1),
      events.slice(1).map((_, index) => ({ ...started(`v${index + 2}`), version: index + 2 })),
    );
    t.is((await store.run('r1'))?.version, events.length);
    for (const round of numbers(acknowledged, 'artifacts')) {
      t.deepEqual(await store.artifacts({ ...attempt('r1'), attempt: round }), [artifact(`file-${round}`)]);
    }
    for (const round of numbers(acknowledged, 'cache'))
      t.is(await store.cache('shop', `key-${round}`), `blob-${round}`);
    t.deepEqual(
      (await store.abandoned()).map(({ runId }) => runId),
      ['r1'],
    );
    const lease = await store.claim('r1', thisProcess());
    t.is(lease && (await store.append(lease, events.length, [started('next')])), events.length + 1);
  });
}

for (const place of places.notices) {
  test.serial(
    `F-27: what is to be told is there with its event, or both are not, after kill -9 ${spoken(place)}`,
    async (t) => {
      const { folder, acknowledged } = await killed(t, 'notices', place);
      checkDatabase(t, folder);
      const store = await reopen(t, folder);
      const runs = await store.runs({ phase: 'finished' });
      t.true(runs.length >= Math.max(0, ...numbers(acknowledged, 'finished')));
      const told: string[] = [];
      for (;;) {
        const [notice] = await store.takeNotices(1e6, 1, 1);
        if (!notice) break;
        told.push(notice.runId);
        await store.settleNotice(notice);
      }
      t.deepEqual(
        told,
        runs.map(({ runId }) => runId).toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
      );
    },
  );
}

for (const place of places.tests) {
  test.serial(`R000-21: no acknowledged test case is lost or mixed by kill -9 ${spoken(place)}`, async (t) => {
    const { folder, acknowledged } = await killed(t, 'tests', place);
    checkDatabase(t, folder);
    const store = await reopen(t, folder);
    const last = Math.max(0, ...numbers(acknowledged, 'tests'));
    t.true(last > 0);
    for (let number = 1; number <= Math.ceil(last / 2) + 1; number++) {
      const cases = await Array.fromAsync(store.tests({ ...attempt('r1'), attempt: number }));
      const found = cases.map(({ name }) => name).join();
      // An attempt is saved in two rounds; the round behind the last acknowledged one may be there or not.
      const rounds = [2 * number, 2 * number - 1].filter((round) => round <= last + 1);
      const sure = rounds.find((round) => round <= last);
      const allowed = rounds.filter((round) => round >= (sure ?? 0)).map((round) => `${round} a,${round} b,${round} c`);
      t.true([...allowed, ...(sure === undefined ? [''] : [])].includes(found), `attempt ${number}: ${found}`);
    }
  });
}

for (const place of places.blobs) {
  test.serial(`R000-21: no acknowledged blob is lost and none is partial after kill -9 ${spoken(place)}`, async (t) => {
    const { folder, acknowledged } = await killed(t, 'blobs', place);
    const blobs = await openBlobs(join(folder, 'blobs'));
    const names = await readdir(join(folder, 'blobs'), { recursive: true });
    const stored = names.filter((name) => /\w{64}$/.test(name)).map((name) => name.slice(-64));
    for (const sha256 of stored) await t.notThrowsAsync(blobs.open(sha256).then(text));
    t.deepEqual(
      items(acknowledged, 'blob').filter((sha256) => !stored.includes(sha256)),
      [],
    );
    t.deepEqual(
      names.filter((name) => name.startsWith('incoming/')),
      [],
    );
  });
}

test.serial('R000-21: processes that open a new database at once and write all the time lose nothing', async (t) => {
  const folder = await newFolder(t);
  const names = ['a', 'b', 'c'];
  const writers = names.map((name) => spawn(process.execPath, [child, 'together', folder, name], { stdio: 'inherit' }));
  t.deepEqual(
    await Promise.all(writers.map((writer) => once(writer, 'exit'))),
    names.map(() => [0, null]),
  );
  checkDatabase(t, folder);
  const store = await reopen(t, folder);
  const wishes = (await store.events('shared')).flatMap((event) => (event.type === 'cancel-requested' ? [event] : []));
  t.deepEqual(
    wishes.map(({ version }) => version),
    Array.from({ length: 120 }, (_, index) => index + 2),
  );
  const rounds = Array.from({ length: 40 }, (_, index) => index + 1);
  for (const name of names) {
    t.deepEqual(
      wishes.flatMap(({ by, at }) => (by === name ? [at] : [])),
      rounds,
    );
    t.deepEqual(
      (await store.events(name, 1)).map((event) => 'step' in event && event.step),
      rounds.map((round) => `s${round}`),
    );
  }
});

/** Lets the child work until it is dead, and answers what it had acknowledged by then. */
async function killed(t: ExecutionContext, work: keyof typeof places, place: string | number) {
  const folder = await newFolder(t);
  const writer = spawn(process.execPath, [child, work, folder, String(place)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(writer, 'exit');
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: writer.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === place) writer.kill('SIGKILL');
  }
  t.deepEqual(await exit, [null, 'SIGKILL'], 'the child must die at its place');
  return { folder, acknowledged };
}

async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-kill-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

async function reopen(t: ExecutionContext, folder: string) {
  const store = await openSqliteStore({ file: join(folder, 'sluice.db'), clock: () => 1, isAlive });
  t.teardown(() => store.close());
  return store;
}

function checkDatabase(t: ExecutionContext, folder: string): void {
  const database = new DatabaseSync(join(folder, 'sluice.db'));
  t.deepEqual(database.prepare('PRAGMA integrity_check').all().map(Object.values), [['ok']]);
  t.deepEqual(database.prepare('PRAGMA foreign_key_check').all(), []);
  database.close();
}

function items(acknowledged: readonly string[], what: string): readonly string[] {
  return acknowledged.flatMap((line) => (line.startsWith(`${what} `) ? [line.slice(what.length + 1)] : []));
}

function numbers(acknowledged: readonly string[], what: string): readonly number[] {
  return items(acknowledged, what).map(Number);
}

function spoken(place: string | number): string {
  return typeof place === 'number' ? `once ${place} items are acknowledged` : place;
}
