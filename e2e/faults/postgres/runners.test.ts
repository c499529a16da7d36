import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startPostgres } from '../../../runner/store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../../../runner/store/postgres/postgres-server-fixture.ts';
import { openPostgresStore } from '../../../runner/store/postgres/postgres-store.ts';
import { checkHistory } from '../check-history.ts';
import { TcpProxy } from '../tcp-proxy.ts';

const child = fileURLToPath(new URL('runner-child.ts', import.meta.url));
const runsEach = 25;
/** More than twice the time to live of the runners. */
const absenceMs = 8_000;

interface World {
  readonly server: PostgresServer;
  /** Its connections go through the proxy. */
  readonly one: ChildProcess;
  readonly proxy: TcpProxy;
}

/** Two runners on one database, 25 runs each; `harm` is done once all are under way. */
async function underFault(t: ExecutionContext, harm: (world: World) => Promise<unknown>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-runners-'));
  const server = await startPostgres();
  const proxy = await TcpProxy.open('127.0.0.1', server.port);
  const children: ChildProcess[] = [];
  t.teardown(async () => {
    for (const process of children) await end(process);
    proxy.close();
    await server.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const url = await server.database();
  const database = new URL(url).pathname.slice(1);
  await (await openPostgresStore({ url, clock: Date.now, version: 'test' })).close();
  await server.query(watch, database);
  const proxied = new URL(url);
  proxied.port = String(proxy.port);
  const begin = async (name: string, address: string): Promise<ChildProcess> => {
    const argv = [child, address, folder, name, String(runsEach)];
    const process_ = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(process_);
    await once(process_.stdout, 'data');
    return process_;
  };
  const [one] = await Promise.all([begin('one', proxied.href), begin('two', url)]);
  await harm({ server, one, proxy });
  const unfinished = "select run_id from runs where phase <> 'finished'";
  while ((await server.query(unfinished, database)).length > 0) await sleep(100);
  // Time for whoever was thought dead to do harm.
  await sleep(1_500);
  t.deepEqual(await brokenIn(server, database, folder), []);
  t.is((await server.query('select run_id from runs', database)).length, 2 * runsEach);
}

/** Writes down, inside the database, under which fence each event was stored. */
const watch = `
  create table fences (place serial, run_id text, fence int, version int);
  create function note() returns trigger language plpgsql as $$
    begin
      insert into fences (run_id, fence, version)
        select run_id, fence, new.version from runs where run_id = new.run_id;
      return null;
    end $$;
  create trigger note after insert on events for each row execute function note();
  create trigger note after update of fence on runs for each row when (new.fence <> old.fence) execute function note()`;

async function brokenIn(server: PostgresServer, database: string, folder: string): Promise<readonly string[]> {
  const rows = await server.query('select run_id, version, body from events order by run_id, version', database);
  const events = rows.map((row) => ({
    runId: String(row['run_id']),
    version: Number(row['version']),
    body: String(row['body']),
  }));
  const effects = (await readFile(join(folder, 'effects'), 'utf8')).trim().split('\n');
  const twice = Object.entries(Object.groupBy(effects, (name) => name)).filter(([, times]) => times?.length !== 1);
  const backwards = await server.query(
    `select run_id from (select run_id, fence < lag(fence) over (partition by run_id order by place) as back from fences) f
     where back`,
    database,
  );
  return [
    ...checkHistory({ acknowledged: [], events, integrity: 'ok', effects }),
    ...twice.map(([name]) => `${name} ran more than once`),
    ...backwards.map((row) => `a fence of ${String(row['run_id'])} went back`),
  ];
}

async function end(process_: ChildProcess): Promise<void> {
  if (process_.exitCode !== null || process_.signalCode !== null) return;
  const ended = once(process_, 'exit');
  process_.kill('SIGKILL');
  await ended;
}

test.serial('F-04: the runs of a runner that is killed are ended by the other, and none runs twice', async (t) => {
  await underFault(t, ({ one }) => end(one));
});

test.serial('F-06: a runner that sleeps past its time to live finds its runs ended and changes nothing', async (t) => {
  await underFault(t, async ({ one }) => {
    one.kill('SIGSTOP');
    await sleep(60_000);
    one.kill('SIGCONT');
  });
});

test.serial('F-08: a runner whose connections are dead stops its steps, and the other ends its runs', async (t) => {
  await underFault(t, async ({ proxy }) => {
    proxy.set('silent');
    await sleep(absenceMs);
    proxy.set('pass');
  });
});

test.serial('F-08: a crash of the database is waited for by all', async (t) => {
  await underFault(t, ({ server }) => server.crash());
});

test.serial('of two commands on one database one that is killed has its run ended by the next', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-two-'));
  const server = await startPostgres();
  t.teardown(async () => {
    await server.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const url = await server.database();
  await writeFile(join(folder, 'sluice.yaml'), 'pipeline: p\nsteps:\n  long: { run: sleep 60 }\n');
  await promisify(execFile)('git', ['init', '-q', folder]);
  const env = { ...process.env, SLUICE_HOME: join(folder, 'home'), SLUICE_DATABASE_URL: url, SLUICE_RUNNER_TTL: '3' };
  const sluice = (...args: readonly string[]) =>
    spawn(process.execPath, ['runner/launch/sluice.js', '-C', folder, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const running = sluice('run', '--json');
  for await (const line of createInterface({ input: running.stdout })) if (line.includes('attempt-placed')) break;
  await end(running);
  const rowsOf = async () => {
    const list = sluice('runs', '--json');
    const [out] = await Promise.all([text(list.stdout), once(list, 'exit')]);
    return out;
  };
  t.regex(await rowsOf(), /"running"/, 'for a moment it counts as alive');
  await sleep(3_000);
  t.regex(await rowsOf(), /"runner_lost"/);
});
