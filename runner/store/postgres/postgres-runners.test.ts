import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { TcpProxy } from '../../../e2e/faults/tcp-proxy.ts';
import { cancelled, newRun, owner, started } from '../contract-data.ts';
import type { Lease, Store } from '../store.ts';
import { startPostgres } from './postgres-server-fixture.ts';
import type { PostgresServer } from './postgres-server-fixture.ts';
import { openPostgresStore } from './postgres-store.ts';

let server: PostgresServer;
test.before(async () => {
  server = await startPostgres(['max_connections=300']);
});
test.after.always(() => server.remove());

async function open(t: ExecutionContext, url: string, ttlMs = 30_000) {
  const store = await openPostgresStore({ url, clock: Date.now, version: 'test', ttlMs });
  t.teardown(() => store.close());
  return store;
}

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

async function throughProxy(t: ExecutionContext) {
  const url = await server.database();
  const proxy = await TcpProxy.open('127.0.0.1', server.port);
  t.teardown(() => proxy.close());
  const proxied = new URL(url);
  proxied.port = String(proxy.port);
  return { url, proxy, proxied: proxied.href };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(10);
}

async function versionsOf(store: Store, runId: string): Promise<readonly number[]> {
  return (await store.events(runId)).map(({ version }) => version);
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

test('R000-21: eight runners that write at once to one run lose no event and number none twice', async (t) => {
  const url = await server.database();
  const stores = await Promise.all(upTo(8).map(() => open(t, url)));
  await stores[0]?.createRun(newRun('shared'), owner('a'));
  await Promise.all(stores.flatMap((store) => upTo(25).map((count) => store.request('shared', cancelled(count)))));
  t.deepEqual(await versionsOf(stores[1] ?? t.fail(), 'shared'), upTo(201));
});

test('several runners that meet a new database at once make its tables once', async (t) => {
  const url = await server.database();
  const stores = await Promise.all(upTo(6).map(() => open(t, url)));
  for (const store of stores) t.deepEqual(await store.runs({}), []);
  t.is((await server.query('select version from schema_version', nameOf(url))).length, 1);
});

test('a runner refuses the schema of a newer Sluice; one that runs goes on after an additive change', async (t) => {
  const url = await server.database();
  const store = await open(t, url);
  const lease = await store.createRun(newRun('r1'), owner('a'));
  await server.query(
    "update schema_version set version = 1000; alter table runs add column more text not null default ''",
    nameOf(url),
  );
  await t.throwsAsync(open(t, url), { code: 'ERR_UNSUPPORTED', message: /schema version 1000/ });
  t.is(await store.append(lease, 1, [started('unit')]), 2);
  await store.createRun(newRun('r2'), owner('a'));
});

test('ids are compared by their bytes in a database of any language', async (t) => {
  const url = await server.database("template template0 encoding utf8 locale_provider icu icu_locale 'en' locale 'C'");
  const store = await open(t, url);
  for (const runId of ['a', 'B', 'a-b', 'ab']) await store.createRun(newRun(runId), owner('o'));
  t.deepEqual(
    (await store.runs({})).map(({ runId }) => runId),
    ['ab', 'a-b', 'a', 'B'],
  );
  t.is(await store.resolve('a-'), 'a-b');
});

test('what is wrong with the database is said at once, with the next step and without the password', async (t) => {
  const url = await server.database();
  await server.query("create role few login password 'x' connection limit 0", nameOf(url));
  const changed = (change: (address: URL) => void) => {
    const address = new URL(url);
    change(address);
    return address.href;
  };
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['mysql://db/x', 'ERR_USAGE', /no address of a PostgreSQL database/],
    ['nonsense', 'ERR_USAGE', /no address of a PostgreSQL database/],
    [
      changed((address) => (address.port = '1')),
      'ERR_UNREADABLE',
      /127\.0\.0\.1:1\/t\w+ cannot be reached \(ECONNREFUSED\)/,
    ],
    [
      changed((address) => (address.host = 'nowhere.invalid:5432')),
      'ERR_UNREADABLE',
      /nowhere\.invalid.* cannot be reached/,
    ],
    [changed((address) => (address.password = 'wrong')), 'ERR_UNREADABLE', /refuses this user or password/],
    [changed((address) => (address.pathname = '/missing')), 'ERR_UNREADABLE', /\/missing does not exist/],
  ];
  for (const [address, code, message] of wrong) {
    const error = await t.throwsAsync(open(t, address), { code, message });
    t.notRegex(error.message, /pass.word|pass%20|wrong/, address);
  }
  const latin = await server.database("template template0 encoding latin1 locale 'C'");
  await t.throwsAsync(open(t, latin), { code: 'ERR_UNSUPPORTED', message: /stores text in LATIN1/ });
});

test('the password may stand in a file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-password-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'password');
  const address = new URL(await server.database());
  await writeFile(file, `${decodeURIComponent(address.password)}\n`);
  address.password = '';
  const options = { url: address.href, clock: Date.now, version: 'test' };
  const store = await openPostgresStore({ ...options, passwordFile: file });
  t.deepEqual(await store.runs({}), []);
  await store.close();
  await t.throwsAsync(openPostgresStore({ ...options, passwordFile: join(folder, 'none') }), {
    code: 'ERR_UNREADABLE',
    message: /password/,
  });
});

test('a database that becomes read-only is waited for, and named when it stays so', async (t) => {
  const url = await server.database();
  const store = await open(t, url, 3_000);
  const lease = await store.createRun(newRun('r1'), owner('a'));
  const setReadOnly = (value: string) =>
    server.query(`alter database ${nameOf(url)} set default_transaction_read_only = ${value}`);
  const dropConnections = () =>
    server.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${nameOf(url)}'`);
  await setReadOnly('on');
  await dropConnections();
  await t.throwsAsync(store.append(lease, 1, [started('unit')]), {
    code: 'ERR_UNREADABLE',
    message: /takes no writes/,
  });
  const waiting = store.append(lease, 1, [started('unit')]);
  await sleep(300);
  await setReadOnly('off');
  t.is(await waiting, 2);
});

test('R000-21: nothing that was acknowledged is lost when the server crashes, and writers go on by themselves', async (t) => {
  const own = await startPostgres();
  t.teardown(() => own.remove());
  const store = await open(t, await own.database());
  const lease = await store.createRun(newRun('r1'), owner('a'));
  let crashing: Promise<void> | undefined;
  for (let version = 1; version <= 200; version++) {
    if (version === 60) crashing = own.crash();
    t.is(await store.append(lease, version, [started(`s${version}`)]), version + 1);
  }
  await crashing;
  t.deepEqual(await versionsOf(store, 'r1'), upTo(201));
});

/** Lets every transaction that appends an event take two seconds for its COMMIT. */
async function slowCommits(url: string): Promise<void> {
  await server.query(
    `create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(2); return null; end';
     create constraint trigger slow after insert on events deferrable initially deferred for each row execute function slow()`,
    nameOf(url),
  );
}

/** The session whose COMMIT is under way, of work that has begun. */
async function committing(url: string, work: Promise<unknown>): Promise<number> {
  const over = new AbortController();
  const end = (): void => over.abort();
  void work.then(end, end);
  while (!over.signal.aborted) {
    const [row] = await server.query(
      `select pid from pg_stat_activity where datname = '${nameOf(url)}' and query = 'commit' and wait_event = 'PgSleep'`,
    );
    if (row) return Number(row['pid']);
    await sleep(5);
  }
  throw new Error('the COMMIT was over before it was seen');
}

test('a connection cut while COMMIT is under way neither loses the events nor stores them twice', async (t) => {
  const { url, proxy, proxied } = await throughProxy(t);
  const store = await open(t, proxied);
  const lease = await store.createRun(newRun('r1'), owner('a'));
  await slowCommits(url);
  const appending = store.append(lease, 1, [started('unit')]);
  await committing(url, appending);
  proxy.set('refuse');
  proxy.set('pass');
  t.is(await appending, 2);
  t.deepEqual(await versionsOf(store, 'r1'), [1, 2]);
});

test('a transaction that was rolled back during COMMIT is done again', async (t) => {
  const url = await server.database();
  const store = await open(t, url);
  const lease = await store.createRun(newRun('r1'), owner('a'));
  await slowCommits(url);
  const appending = store.append(lease, 1, [started('unit')]);
  await server.query(`select pg_terminate_backend(${await committing(url, appending)})`);
  t.is(await appending, 2);
  t.deepEqual(await versionsOf(store, 'r1'), [1, 2]);
});

test('a runner whose connection is dead stops before another takes its run over, and is refused afterwards', async (t) => {
  const { url, proxy, proxied } = await throughProxy(t);
  const cut = await open(t, proxied, 3_000);
  const other = await open(t, url, 3_000);
  const lease = await cut.createRun(newRun('r1'), owner('a'));
  await cut.createRun(newRun('r2'), owner('a'));
  const { lost } = lease;
  if (!lost) return t.fail('a lease on PostgreSQL can be lost');
  await sleep(4_000);
  t.false(lost.aborted, 'renewed as long as it can be');
  proxy.set('silent');
  let claimed: Lease | undefined;
  const stopped = once(lost, 'abort').then(() => t.is(claimed, undefined, 'first it stops, then the other begins'));
  while (claimed === undefined) {
    claimed = await other.claim('r1', owner('b'));
    await sleep(20);
  }
  t.true(lost.aborted);
  await stopped;
  proxy.set('pass');
  await t.throwsAsync(cut.append(lease, 1, [started('late')]), { code: 'ERR_CONFLICT', message: /taken over/ });
  t.is(claimed.fence, 2);
  t.is(await other.append(claimed, 1, [started('unit')]), 2);
  const anew = await cut.createRun(newRun('r3'), owner('a'));
  t.false(anew.lost?.aborted);
  t.like(await other.abandoned(), [{ runId: 'r2' }], 'what it lost stays free for others when it begins anew');
});

test('a runner that closes its store leaves its runs to others at once', async (t) => {
  const url = await server.database();
  const [one, two] = [await open(t, url), await open(t, url)];
  await one.createRun(newRun('r1'), owner('a'));
  t.is(await two.claim('r1', owner('b')), undefined);
  await one.close();
  t.like(await two.claim('r1', owner('b')), { fence: 2 });
});

test('changes are noticed again after the connection that listens was cut', async (t) => {
  const url = await server.database();
  const [one, two] = [await open(t, url), await open(t, url)];
  await one.createRun(newRun('r1'), owner('a'));
  await two.changes();
  await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'`);
  await sleep(100);
  const before = await two.changes();
  await one.request('r1', cancelled(1));
  await until(async () => (await two.changes()) > before);
  t.is((await two.events('r1')).length, 2);
});

test('all runners on a database have one id in a cluster: what the first of them proposed', async (t) => {
  const url = await server.database();
  const [one, two] = [await open(t, url), await open(t, url)];
  const ids = await Promise.all([one.installationId('aa'), two.installationId('bb')]);
  t.is(ids[0], ids[1]);
  t.true(['aa', 'bb'].includes(ids[0]));
  t.is(await (await open(t, url)).installationId('cc'), ids[0]);
  t.is(await (await open(t, await server.database())).installationId('cc'), 'cc');
});
