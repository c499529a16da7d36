import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { kubectl } from '../cluster/test-cluster.ts';
import { askGateway, domain } from './ask-gateway.ts';
import { mayConnect } from './network-table.ts';
import type { NetworkPolicy, Target } from './network-table.ts';
import { backendTest, environmentOnCluster } from './test-backend.ts';
import { triedOnProduction, verdictsOf, WatchedRepository } from './watched-repository.ts';

interface NamedObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const kinds = 'deployments,services,httproutes,secrets,networkpolicies,jobs,configmaps';

/** The namespace of a backend on the cluster, which goes with the test. */
class Namespace {
  readonly name: string;

  constructor(t: ExecutionContext) {
    this.name = `previews-${randomBytes(4).toString('hex')}`;
    t.teardown(() => kubectl(['delete', 'namespace', this.name, '--ignore-not-found', '--timeout=120s']));
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(['-n', this.name, ...args]);
  }

  async objects<T>(kind: string, ...args: readonly string[]): Promise<readonly T[]> {
    return (JSON.parse(await this.kubectl('get', kind, ...args, '-o', 'json')) as { readonly items: readonly T[] })
      .items;
  }

  /** Objects that have the word in their names. */
  async named(word: string): Promise<readonly string[]> {
    const found = await this.objects<NamedObject>(kinds);
    return found
      .filter(({ metadata }) => metadata.name.includes(word))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
      .toSorted();
  }

  /** Databases and roles of the server of the testing environment that have the word in their names. */
  async inServer(word: string): Promise<readonly string[]> {
    const query = `SELECT datname FROM pg_database WHERE datname LIKE '%${word}%' UNION SELECT rolname FROM pg_roles WHERE rolname LIKE '%${word}%' ORDER BY 1`;
    const psql = 'PGPASSWORD=$POSTGRES_PASSWORD exec psql -h 127.0.0.1 -U postgres -Atc "$1"';
    const found = await this.kubectl('exec', 'test-db-0', '--', 'sh', '-c', psql, 'sh', query);
    return found.split('\n').filter((line) => line !== '');
  }

  async untilGone(preview: string): Promise<void> {
    while ((await this.named(preview)).length > 0 || (await this.inServer(preview)).length > 0) await sleep(500);
  }

  /** Each pair of a role's own password with a database: what lets it in. */
  async knock(preview: string, release: string): Promise<Readonly<Record<string, string>>> {
    const program = `import pg from 'pg';
const answers = {};
for (const [host, database] of [['test-db', '${preview}'], ['test-db', 'app'], ['test-db', 'postgres'], ['db', 'app'], ['db', 'postgres']]) {
  const url = new URL(process.env.DATABASE_URL);
  url.hostname = host; url.pathname = database;
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 5000 });
  answers[host + '/' + database] = await client.connect().then(() => 'lets in', ({ code, message }) => code ?? message);
  await client.end().catch(() => undefined);
}
console.log(JSON.stringify(answers));`;
    // The release before may still be on its way out.
    const selector = `sluice.dev/environment=${preview},sluice.dev/role=app,sluice.dev/release=${release}`;
    const [pod] = await this.objects<NamedObject>('pods', '-l', selector);
    const args = ['exec', pod?.metadata.name ?? '', '--', 'node', '--input-type=module', '-e', program];
    return JSON.parse(await this.kubectl(...args)) as Readonly<Record<string, string>>;
  }

  /** What pods of a preview, and of another one, may reach by what is stored. */
  async reach(preview: string): Promise<Readonly<Record<string, readonly string[]>>> {
    const policies = await this.objects<NetworkPolicy>('networkpolicies');
    const copies = policies.map(
      (policy) => JSON.parse(JSON.stringify(policy).replaceAll(preview, 'preview-b')) as NetworkPolicy,
    );
    const peer = (name: string, environment: string, role: string, port: number): Target => ({
      ...{ name, namespace: this.name, port },
      labels: { 'sluice.dev/environment': environment, 'sluice.dev/role': role },
    });
    const peers = [
      peer('preview app', preview, 'app', 3000),
      peer('other preview app', 'preview-b', 'app', 3000),
      ...['testing', 'production'].flatMap((name) => [
        peer(`${name} app`, name, 'app', 3000),
        peer(`${name} database`, name, 'database', 5432),
      ]),
    ];
    const gateway = { name: 'gateway', namespace: 'gateway', labels: {} };
    const reached = [...peers, gateway].map((from) => {
      const to = peers.filter((target) => target !== from && mayConnect([...policies, ...copies], from, target));
      return [from.name, to.map(({ name }) => name)] as const;
    });
    return Object.fromEntries(reached);
  }
}

backendTest(
  'E9, R003-7, R003-15, R003-26, R003-30: a branch has a preview with its own data, merged it goes to production, and what nobody tells is found',
  async (t) => {
    t.timeout(900_000);
    const namespace = new Namespace(t);
    const repository = await WatchedRepository.open(t, namespace.name, environmentOnCluster());
    const { place } = repository;
    const host = `${namespace.name}.${domain}`;
    const first = await repository.begin();
    t.is(first.outcome, 'succeeded', verdictsOf(first));

    await place.git('switch', '-q', '-c', 'feature/login');
    await repository.push('feature/login', { 'schema/002-done.sql': 'ALTER TABLE tasks ADD COLUMN done boolean;\n' });
    const shown = await repository.next();
    t.is(shown.outcome, 'succeeded', verdictsOf(shown));
    t.is(shown.steps.find(({ id }) => id === 'promote')?.outcome, 'skipped');
    t.regex(await repository.log('migrate/apply'), triedOnProduction, 'production is what the migration is tried on');
    const routes = await namespace.objects<NamedObject>('httproutes');
    const preview =
      routes
        .map(({ metadata }) => metadata.name)
        .find((name) => name.startsWith('preview-'))
        ?.replace(/-api$/, '') ?? '';
    t.regex(preview, /^preview-feature-login-[a-p]{7}$/);

    t.deepEqual(await repository.previews(), [[preview, 'feature/login', 'r2', 'ready']]);
    const tasks = await askGateway(`${preview}.${host}`, '/tasks');
    t.like(tasks, { status: 200, release: 'r2' });
    t.regex(tasks.body, /"title":"seeded","done":null/);
    t.like(await askGateway(`${preview}.${host}`, '/mail'), { body: '"console"' });
    t.like(await askGateway(`test.${host}`, '/tasks'), { release: 'r1' });
    t.notRegex((await askGateway(`test.${host}`, '/tasks')).body, /done/);
    t.like(await askGateway(host, '/tasks'), { release: 'r1', body: '[]' });
    t.like(await askGateway(host, '/mail'), { body: '"smtp"' });

    const { [`test-db/${preview}`]: own, ...others } = await namespace.knock(preview, 'r2');
    t.is(own, 'lets in');
    // 42501: a role without the right to connect; 28P01: a role that is not there.
    t.deepEqual(others, {
      'test-db/app': '42501',
      'test-db/postgres': others['test-db/postgres'] ?? '',
      'db/app': '28P01',
      'db/postgres': '28P01',
    });
    t.deepEqual(await namespace.reach(preview), {
      'preview app': ['testing database'],
      'other preview app': ['testing database'],
      'testing app': ['testing database'],
      'testing database': [],
      'production app': ['production database'],
      'production database': [],
      gateway: ['preview app', 'other preview app', 'testing app', 'production app'],
    });

    // Its time ends while its branch is there, and the next run makes it anew.
    const { data } = JSON.parse(await namespace.kubectl('get', 'configmap', 'previews', '-o', 'json')) as {
      readonly data: { readonly record: string };
    };
    const aged = JSON.stringify({ data: { record: data.record.replace(/"usedAt":\d+/, '"usedAt":0') } });
    await namespace.kubectl('patch', 'configmap', 'previews', '--type=merge', '-p', aged);
    await namespace.untilGone(preview);
    t.regex(await place.logWith('its time is over'), /a preview was removed.*its time is over/);
    t.like(await askGateway(`${preview}.${host}`, '/tasks'), { status: 404, release: undefined });
    await repository.push('feature/login', {});
    const again = await repository.next();
    t.is(again.outcome, 'succeeded', verdictsOf(again));
    t.like(await askGateway(`${preview}.${host}`, '/tasks'), { status: 200, release: 'r3' });

    await place.git('switch', '-q', 'main');
    await place.git('merge', '-q', 'feature/login');
    await repository.push('main', {});
    const merged = await repository.next();
    t.is(merged.outcome, 'succeeded', verdictsOf(merged));
    t.like(await askGateway(host, '/mail'), { release: 'r4', body: '"smtp"' });
    t.notRegex(await namespace.kubectl('get', 'deployment', 'api-r4', '-o', 'yaml'), /console/);

    // Nobody tells that the branch is deleted.
    await repository.deleteBranch('feature/login');
    await namespace.untilGone(preview);
    t.regex(await place.logWith('its branch is gone'), /a preview was removed.*its branch is gone/);
    t.like(await askGateway(host, '/tasks'), { status: 200, release: 'r4' });
    t.like(await askGateway(`test.${host}`, '/tasks'), { status: 200, release: 'r4' });
  },
);
