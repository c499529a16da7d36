import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { reachableAddress } from '../../runner/executors/kubernetes/reachable-address.ts';
import type { BackupRecord } from '../../runner/gates/backups.ts';
import { nameOfPullRequestPreview } from '../../runner/language/preview-name.ts';
import { startPostgres } from '../../runner/store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../../runner/store/postgres/postgres-server-fixture.ts';
import { kubectl } from '../cluster/test-cluster.ts';
import { clusterBackends } from './cluster-backends.ts';
import { backendTest, stepOf, TestBackend, verdicts } from './test-backend.ts';

interface Policy {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly egress?: readonly object[] };
}

interface Outside {
  readonly server: PostgresServer;
  /** Of an account that may make roles and databases, and is no superuser: managed servers give no other. */
  readonly url: string;
}

/** A PostgreSQL server of this machine that pods reach. */
async function startOutside(t: ExecutionContext): Promise<Outside> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-outside-'));
  const rules = join(folder, 'pg_hba.conf');
  writeFileSync(rules, 'host all all all scram-sha-256\n');
  chmodSync(folder, 0o755);
  const server = await startPostgres(['listen_addresses=*', `hba_file=${rules}`]);
  t.teardown(async () => {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  const password = randomBytes(6).toString('hex');
  await server.query(`CREATE ROLE operator LOGIN CREATEDB CREATEROLE PASSWORD '${password}:@'`);
  const account = `operator:${encodeURIComponent(`${password}:@`)}`;
  return { server, url: `postgres://${account}@${reachableAddress()}:${server.port}/?sslmode=disable` };
}

/** What the operator says, in the namespace of the runner. */
async function tell(t: ExecutionContext, backend: string, stringData: Readonly<Record<string, string>>): Promise<void> {
  const metadata = { name: `sluice-database-${backend}`, namespace: 'default' };
  await kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'Secret', metadata, stringData });
  t.teardown(() => forget(backend));
}

async function forget(backend: string): Promise<void> {
  await kubectl(['-n', 'default', 'delete', 'secret', `sluice-database-${backend}`, '--ignore-not-found']);
}

backendTest(
  'a backend has its databases on a server outside: migrated, backed up and restored there, and left there when it is deleted',
  async (t) => {
    const { server, url } = await startOutside(t);
    const backend = await TestBackend.open(t, 'node');
    await tell(t, backend.name, { testing: url, production: url });
    const database = `${backend.name}_production`;

    const first = await backend.run();
    t.is(first.outcome, 'succeeded', verdicts(first));
    t.deepEqual(await backend.objects('statefulsets'), [], 'no server is made in the namespace');
    const policies = await backend.objects<Policy>('networkpolicies');
    t.deepEqual(policies.find(({ metadata }) => metadata.name === 'production-external-database')?.spec.egress, [
      {
        to: [{ ipBlock: { cidr: `${reachableAddress()}/32` } }],
        ports: [{ protocol: 'TCP', port: server.port }],
      },
    ]);
    t.is((await backend.ask('/tasks', { method: 'POST', body: '{"title":"ship"}' })).status, 201);
    t.like(await server.query('SELECT title FROM tasks', database), [{ title: 'ship' }]);

    await backend.commit({ 'schema/002-done.sql': 'ALTER TABLE tasks ADD COLUMN done boolean;\n' });
    const second = await backend.run();
    t.is(second.outcome, 'succeeded', verdicts(second));
    t.regex(await backend.log(second.runId, 'migrate/apply'), /on a copy of the schema of production/);
    const [backup] = (await backend.record<readonly BackupRecord[]>('backups')) ?? [];
    t.like(backup, { name: stepOf(second, 'promote').outputs['backup'] ?? '' });
    const restored = await backend.begin('database', 'restore', backend.name, backup?.name ?? '', '--force').refusal();
    t.regex(restored, /"restored":"/);
    t.deepEqual(JSON.parse((await backend.ask('/tasks')).body), [{ id: 1, title: 'ship' }]);

    // Neither role of testing gets into production, whatever the network lets through.
    const { data } = JSON.parse(await backend.kubectl(['get', 'secret', 'test-db-migrator', '-o', 'json'])) as {
      readonly data: Readonly<Record<string, string>>;
    };
    const testing = new URL(Buffer.from(data['DATABASE_URL'] ?? '', 'base64').toString());
    t.is(testing.pathname, `/${backend.name}_testing`);
    const [right] = await server.query(
      `SELECT has_database_privilege('${testing.username}', '${database}', 'CONNECT') AS may`,
    );
    t.false(right?.['may']);

    const { backends, cluster } = await clusterBackends();
    t.teardown(() => cluster.close());
    const known = await backends.find(backend.name);
    if (known === undefined) return t.fail();
    t.deepEqual(await backends.drift(known, []), []);
    const shown = await backends.environments(known);
    t.deepEqual(
      shown.map(({ database: state }) => state),
      ['outside', 'outside'],
    );
    const preview = {
      environment: nameOfPullRequestPreview(1),
      branch: 'b',
      pullRequest: 1,
      ttlMs: 1,
      max: 1,
    } as const;
    await t.throwsAsync(backends.ensure({ ...known, backend: { ...known.backend, preview } }), {
      code: 'ERR_CONFLICT',
      message: /are outside of its namespace: it has no previews/,
    });

    // Without the word of the operator nothing begins with empty databases in the namespace.
    await forget(backend.name);
    await t.throwsAsync(backends.ensure(known), {
      code: 'ERR_CONFLICT',
      message: /there is no Secret sluice-database-/,
    });

    await tell(t, backend.name, { testing: url, production: url });
    await backends.protect(backend.name, false);
    const deleted = await backend.begin('backend', 'delete', backend.name, '--confirm', backend.name).refusal();
    t.like((JSON.parse(deleted) as { readonly lost: object }).lost, { databases: [], kept: ['testing', 'production'] });
    t.like(await server.query('SELECT title FROM tasks', database), [{ title: 'ship' }], 'deleted: the data stay');
  },
);

backendTest(
  'databases that would move, and an address that is none, are refused before anything is made',
  async (t) => {
    const { backends, cluster } = await clusterBackends();
    t.teardown(() => cluster.close());
    const name = `outside-${randomBytes(4).toString('hex')}`;
    t.teardown(() => kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']));
    const owned = { backend: { name, services: [], database: { engine: 'postgres' } }, repository: name } as const;
    const address = 'postgres://admin:secret-word@db.example:6432/';
    for (const [given, message] of [
      [{ testing: address }, /^`production` of the Secret sluice-database-\S+ in default is missing$/],
      [{ testing: address, production: 'db.example secret-word' }, /^`production` of .* is no address of PostgreSQL/],
      [{ testing: 'postgres://admin:50%off@db.example/', production: address }, /^`testing` of .* is no address/],
      [{ testing: 'postgres://db.example/', production: address }, /^`testing` of .* with user and password$/],
    ] as const) {
      await forget(name);
      await tell(t, name, given);
      const error = await t.throwsAsync(backends.ensure(owned), { code: 'ERR_USAGE', message });
      t.notRegex(error.message, /secret-word|50%off/);
    }
    await forget(name);
    await backends.ensure(owned);
    await tell(t, name, { testing: address, production: address });
    await t.throwsAsync(backends.ensure(owned), {
      code: 'ERR_CONFLICT',
      message: /are in its namespace, and the Secret sluice-database-\S+ says that they are outside$/,
    });
  },
);
