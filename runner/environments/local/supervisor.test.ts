import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import pg from 'pg';
import { listPids, readEnvironment } from '../../executors/local/process-table.ts';
import type { Backend } from '../../model/backend.ts';
import { ensureRoles } from '../database-roles.ts';
import type { Release } from '../release.ts';
import { contractService } from '../contract-service-fixture.ts';
import { LocalSite } from './local-site.ts';
import { keepRelease } from './release-files.ts';
import { startSupervisor } from './supervisor-fixture.ts';
import type { TestSupervisor } from './supervisor-fixture.ts';

const app = `
import { createServer } from 'node:http';
createServer((request, response) => {
  if (request.url === '/exit') process.exit(1);
  response.end(process.env.DATABASE_URL ?? String(process.pid));
}).listen(Number(process.env.PORT));
`;

const repository = 'git@example.test:shop.git';
const plain: Backend = { name: 'shop', services: [contractService] };

async function fixture(t: ExecutionContext): Promise<TestSupervisor> {
  const supervisor = await startSupervisor();
  t.teardown(() => supervisor.remove());
  return supervisor;
}

function filesOf(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-app-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const limit = (): AbortSignal => AbortSignal.timeout(30_000);

async function releaseOn(t: ExecutionContext, { releases }: TestSupervisor, name: string): Promise<Release> {
  const image = await keepRelease(releases, filesOf(t, { 'server.mjs': app }), 'node-24', limit());
  const origin = { run: name, commit: 'c', branch: 'main', actor: 'ada', createdAt: '2026-01-01T00:00:00.000Z' };
  return { name, ...origin, services: [{ ...contractService, image }] };
}

async function siteOf({ client, folder }: TestSupervisor, backend = plain): Promise<LocalSite> {
  return new LocalSite({ backend, folder, access: await client.ensure({ backend, repository }) });
}

async function live(site: LocalSite, release: Release): Promise<void> {
  await site.start('production', release);
  while ((await site.health('production', release)).state !== 'healthy') await sleep(20);
  await site.route('production', release, 1);
}

async function bodyOf(site: LocalSite, path = '/'): Promise<string> {
  for (;;) {
    const response = await fetch(new URL(path, site.url('production'))).catch(() => undefined);
    if (response?.status === 200) return response.text();
    await sleep(20);
  }
}

/** Processes that carry the mark of an environment of this folder. */
function processesOf({ folder }: TestSupervisor): readonly number[] {
  return listPids().filter((pid) => readEnvironment(pid).includes(`${folder}/backends/`));
}

test('a supervisor that comes after a killed one ends what that left, and starts everything again', async (t) => {
  const supervisor = await fixture(t);
  const site = await siteOf(supervisor);
  await live(site, await releaseOn(t, supervisor, 'r1'));
  await site.write('note', 'kept', undefined);
  const before = await bodyOf(site);
  await supervisor.kill();
  t.deepEqual(processesOf(supervisor).map(String), [before]);
  await supervisor.start();
  const again = await siteOf(supervisor);
  const after = await bodyOf(again);
  t.not(after, before);
  t.deepEqual(processesOf(supervisor).map(String), [after]);
  t.is(again.url('production'), site.url('production'));
  t.is((await again.read('note'))?.value, 'kept');
  t.is(await again.routed('production'), 'r1');
});

test('a task whose supervisor was killed counts as failed, and is not begun again', async (t) => {
  const supervisor = await fixture(t);
  const release = await releaseOn(t, supervisor, 'r1');
  const trace = join(filesOf(t, {}), 'trace');
  const task = {
    group: 'migrate',
    name: 'migrate',
    script: `echo begun >> ${trace}; exec sleep 300`,
    timeoutMs: 300_000,
    signal: limit(),
  };
  const site = await siteOf(supervisor);
  const asked = t.throwsAsync(site.task('production', release, task), { message: /does not answer/ });
  while (statSync(trace, { throwIfNoEntry: false }) === undefined) await sleep(20);
  await supervisor.kill();
  await asked;
  await supervisor.start();
  t.deepEqual(processesOf(supervisor), []);
  t.like(await (await siteOf(supervisor)).task('production', release, task), { exitCode: 137 });
  t.is(statSync(trace).size, 'begun\n'.length);
});

test('an app that crashes is started again', async (t) => {
  const supervisor = await fixture(t);
  const site = await siteOf(supervisor);
  await live(site, await releaseOn(t, supervisor, 'r1'));
  const before = await bodyOf(site);
  t.is((await fetch(new URL('/exit', site.url('production')))).status, 502);
  t.not(await bodyOf(site), before);
});

test('a second supervisor of a folder ends at once and leaves the first alone', async (t) => {
  const supervisor = await fixture(t);
  const { pid } = await supervisor.client.greet();
  const { runSupervisor } = await import('./supervisor.ts');
  await runSupervisor({ folder: supervisor.folder, cache: tmpdir(), env: {}, signal: limit() });
  t.is((await supervisor.client.greet()).pid, pid);
});

test('only its user can reach a supervisor', async (t) => {
  const { folder } = await fixture(t);
  t.is(statSync(folder).mode & 0o077, 0);
  t.is(statSync(join(folder, 'socket')).mode & 0o077, 0);
});

test('stopping leaves no process, and the next start brings everything back', async (t) => {
  const supervisor = await fixture(t);
  const site = await siteOf(supervisor);
  await live(site, await releaseOn(t, supervisor, 'r1'));
  await supervisor.client.stop();
  t.deepEqual(processesOf(supervisor), []);
  await supervisor.start();
  t.regex(await bodyOf(site), /^\d+$/);
});

test('a backend belongs to the repository that deployed it first', async (t) => {
  const { client } = await fixture(t);
  await client.ensure({ backend: plain, repository });
  await t.throwsAsync(client.ensure({ backend: plain, repository: 'git@example.test:other.git' }), {
    code: 'ERR_CONFLICT',
    message: /belongs to git@example\.test:shop\.git/,
  });
});

test('each environment has a database that the roles of the other cannot connect to, and it outlives a crash', async (t) => {
  const supervisor = await fixture(t);
  const backend: Backend = { ...plain, database: { engine: 'postgres' } };
  const open = async () => (await supervisor.client.ensure({ backend, repository })).databases;
  const first = await open();
  if (first === undefined) return t.fail('there are no databases');
  for (const urls of [first.testing, first.production]) await ensureRoles(urls, { lockTimeoutMs: 1_000 }, limit());
  const query = async (connectionString: string, sql: string) => {
    const client = new pg.Client({ connectionString });
    client.on('error', () => undefined);
    await client.connect();
    return client.query<Record<string, unknown>>(sql).finally(() => client.end());
  };
  await query(first.testing.migrator, 'CREATE TABLE tasks (id int)');
  await query(first.testing.app, 'INSERT INTO tasks VALUES (7)');
  await t.throwsAsync(query(first.testing.app, 'DROP TABLE tasks'), { message: /must be owner/ });
  const other = new URL(first.testing.app);
  other.pathname = new URL(first.production.app).pathname;
  await t.throwsAsync(query(other.href, 'SELECT 1'), { message: /permission denied for database/ });
  other.pathname = '/postgres';
  other.password = 'wrong';
  await t.throwsAsync(query(other.href, 'SELECT 1'), { message: /password authentication failed/ });

  await supervisor.kill();
  await supervisor.start();
  const second = await open();
  t.deepEqual((await query(second?.testing.app ?? '', 'SELECT id FROM tasks')).rows, [{ id: 7 }]);
});

test('the same files have the same digest, whenever and wherever they were made', async (t) => {
  const { releases } = await fixture(t);
  const [one, two] = [filesOf(t, { a: '1', b: '2' }), filesOf(t, { b: '2', a: '1' })];
  utimesSync(join(two, 'a'), 1, 1);
  chmodSync(join(two, 'b'), 0o600);
  const digest = await keepRelease(releases, one, 'node-24', limit());
  t.regex(digest, /^sha256:[0-9a-f]{64}$/);
  t.is(await keepRelease(releases, two, 'node-24', limit()), digest);
  t.deepEqual(readdirSync(releases), [digest.slice('sha256:'.length)]);
  t.not(await keepRelease(releases, one, 'node-22', limit()), digest);
  t.not(await keepRelease(releases, filesOf(t, { a: '1', b: '3' }), 'node-24', limit()), digest);
});

test('an app that is not healthy is told what it lacks: somebody who listens, or another answer', async (t) => {
  const supervisor = await fixture(t);
  const site = await siteOf(supervisor);
  const release = await releaseOn(t, supervisor, 'r1');
  const lackOf = async (name: string, start: string, expected: RegExp): Promise<void> => {
    const services = release.services.map((service) => ({ ...service, start }));
    const changed = { ...release, name, services };
    await site.start('production', changed);
    for (;;) {
      const health = await site.health('production', changed);
      if ('message' in health && expected.test(health.message)) break;
      t.is(health.state, 'starting');
      await sleep(50);
    }
  };
  await lackOf('r1', 'sleep 60', /^api: nothing listens yet at the port \d+ that PORT told it$/);
  const refuses = `require('http').createServer((q, s) => s.writeHead(503).end()).listen(+process.env.PORT)`;
  await lackOf('r2', `node -e "${refuses}"`, /^api: it answers 503 at \/healthz, at the port \d+ that PORT told it$/);
});

test('files that somebody changed after they were tested do not start', async (t) => {
  const supervisor = await fixture(t);
  const site = await siteOf(supervisor);
  const release = await releaseOn(t, supervisor, 'r1');
  const file = join(supervisor.releases, release.services[0]?.image.slice('sha256:'.length) ?? '', 'app', 'server.mjs');
  t.is(statSync(file).mode & 0o222, 0);
  chmodSync(file, 0o644);
  writeFileSync(file, `${app}// changed`);
  await site.start('production', release);
  const health = await site.health('production', release);
  t.is(health.state, 'failed');
  t.regex('message' in health ? health.message : '', /are not those that were tested/);
});
