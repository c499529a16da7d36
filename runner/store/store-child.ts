import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { StatementSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { openBlobs } from './blobs.ts';
import {
  artifact,
  attempt,
  batches,
  cancelled,
  finished,
  firstLease,
  newRun,
  started,
  testCase,
} from './contract-data.ts';
import { isAlive, thisProcess } from './owner.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';

// Works on a store in a process of its own and says on stdout what has been acknowledged. To be killed by its parent, or
// by itself before or after the n-th call that a place names, such as `after 3 insert into "events"`.

const [work = '', folder = '', place = ''] = process.argv.slice(2);
const rounds = 3_000;

await dieAt(place);
if (work === 'together') await storeTogether(place);
if (work === 'events') await storeEvents();
if (work === 'notices') await storeNotices();
if (work === 'tests') await storeTests();
if (work === 'blobs') await storeBlobs();

async function storeEvents(): Promise<void> {
  const store = await openSqliteStore({ file: join(folder, 'sluice.db'), clock: () => 1, isAlive });
  const lease = await store.createRun(newRun('r1'), thisProcess());
  acknowledge('version', 1);
  for (let round = 1, version = 1; round < rounds; round++) {
    const events = Array.from({ length: round % 4 }, (_, index) => started(`v${version + 1 + index}`));
    version = await store.append(lease, version, events);
    acknowledge('version', version);
    await store.saveArtifacts(firstLease('r1'), { ...attempt('r1'), attempt: round }, [artifact(`file-${round}`)]);
    acknowledge('artifacts', round);
    await store.saveCache('shop', `key-${round}`, `blob-${round}`);
    acknowledge('cache', round);
  }
}

/** Appends to a run of its own and, with all others that do the same, to one that they share. */
async function storeTogether(name: string): Promise<void> {
  const store = await openSqliteStore({ file: join(folder, 'sluice.db'), clock: () => 1, isAlive });
  await store.createRun(newRun('shared'), thisProcess()).catch(() => 'another process was first');
  const lease = await store.createRun(newRun(name), thisProcess());
  for (let round = 1; round <= 40; round++) {
    await store.append(lease, round, [started(`s${round}`)]);
    await store.request('shared', { ...cancelled(round), by: name });
  }
  await store.close();
}

/** Runs that end, each with a subscriber who has to hear of it. */
async function storeNotices(): Promise<void> {
  const store = await openSqliteStore({ file: join(folder, 'sluice.db'), clock: () => 1, isAlive });
  for (let round = 1; round < rounds; round++) {
    const { row, event } = newRun(`r${round}`);
    const request = { ...event.request, notify: [{ kind: 'events', name: 'team' }] } as const;
    const lease = await store.createRun({ row, event: { ...event, request } }, thisProcess());
    await store.append(lease, 1, [{ ...finished({ outcome: 'succeeded' }), at: round }]);
    acknowledge('finished', round);
  }
}

async function storeTests(): Promise<void> {
  const store = await openSqliteStore({ file: join(folder, 'sluice.db'), clock: () => 1, isAlive });
  await store.createRun(newRun('r1'), thisProcess());
  for (let round = 1; round < rounds; round++) {
    // Three chunks, saved twice, so that the second save has something to replace.
    const cases = batches([testCase(`${round} a`, 1e6)], [testCase(`${round} b`, 1e6)], [testCase(`${round} c`)]);
    await store.saveTests(firstLease('r1'), { ...attempt('r1'), attempt: Math.ceil(round / 2) }, cases);
    acknowledge('tests', round);
  }
}

async function storeBlobs(): Promise<void> {
  const blobs = await openBlobs(join(folder, 'blobs'));
  for (let round = 1; round < rounds; round++) {
    const chunks = Array.from({ length: round % 5 }, (_, index) => Buffer.alloc(10_000 * index, `${round} ${index}`));
    const { sha256 } = await blobs.put(Readable.from(chunks));
    if (sha256 !== createHash('sha256').update(Buffer.concat(chunks)).digest('hex')) throw new Error('wrong digest');
    acknowledge('blob', sha256);
  }
}

function acknowledge(what: string, item: string | number): void {
  writeSync(1, `${what} ${item}\n`);
}

async function dieAt(text: string): Promise<void> {
  const [, when, count, call = ''] = /^(before|after) (\d+) (.+)$/.exec(text) ?? [];
  if (when === undefined) return;
  let left = Number(count);
  const pass = (moment: string, name: string) => {
    if (moment === when && name.startsWith(call) && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
  const handle = await promises.open(folder);
  const targets: readonly (readonly [object, readonly string[]])[] = [
    [StatementSync.prototype, ['run', 'all']],
    [promises, ['rename', 'mkdir']],
    [Object.getPrototypeOf(handle) as object, ['writeFile', 'sync']],
  ];
  await handle.close();
  for (const [target, names] of targets) for (const name of names) watch(target, name, pass);
  syncBuiltinESMExports();
}

function watch(target: object, name: string, pass: (moment: string, name: string) => void): void {
  const original = Reflect.get(target, name) as (...values: unknown[]) => unknown;
  Reflect.set(target, name, function (this: unknown, ...values: unknown[]) {
    const call = this instanceof StatementSync ? this.sourceSQL : name;
    pass('before', call);
    const result = original.apply(this, values);
    if (result instanceof Promise) return result.finally(() => pass('after', call));
    pass('after', call);
    return result;
  });
}
