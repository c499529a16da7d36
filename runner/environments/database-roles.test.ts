import test from 'ava';
import { startPostgres } from '../store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../store/postgres/postgres-server-fixture.ts';
import { awaitDatabase, ensureRoles } from './database-roles.ts';
import type { DatabaseUrls } from './database-roles.ts';

let server: PostgresServer;
test.before(async () => {
  server = await startPostgres();
  for (const [role, rights] of [
    ['operator', 'CREATEDB CREATEROLE'],
    ['no_databases', 'CREATEROLE'],
    ['no_roles', 'CREATEDB'],
  ])
    await server.query(`CREATE ROLE ${role} LOGIN PASSWORD 'right' ${rights}`);
});
test.after.always(() => server.remove());

/** Less than what a server that does not answer is waited for. */
const signal = AbortSignal.timeout(60_000);
const limits = { lockTimeoutMs: 1_000 };

function urlsOf(account: string, name: string, parameters = ''): DatabaseUrls {
  const as = (user: string, password: string) =>
    `postgres://${user}:${password}@127.0.0.1:${server.port}/${name}${parameters}`;
  const [user = '', password = 'right'] = account.split(':');
  return { admin: as(user, password), migrator: as(`${name}_migrator`, 'one'), app: as(`${name}_app`, 'two') };
}

test('an account that is no superuser makes a database and its roles, and finds them made', async (t) => {
  const urls = urlsOf('operator', 'made');
  const make = () => awaitDatabase(urls, signal).then(() => ensureRoles(urls, limits, signal));
  await make();
  await make();
  t.is((await server.query("SELECT FROM pg_roles WHERE rolname IN ('made_migrator', 'made_app')")).length, 2);
});

test('an account that the server does not let in is not waited for', async (t) => {
  await t.throwsAsync(awaitDatabase(urlsOf('operator:wrong', 'refused'), signal), {
    code: 'ERR_SERVICE',
    message: /^the database at 127\.0\.0\.1:\d+ refuses: password authentication failed for user "operator"$/,
  });
});

test('a server without TLS, where TLS is demanded, is not waited for', async (t) => {
  await t.throwsAsync(awaitDatabase(urlsOf('operator', 'refused', '?sslmode=require'), signal), {
    code: 'ERR_SERVICE',
    message: /refuses: The server does not support SSL connections$/,
  });
});

test('an account without the rights that it needs is told which', async (t) => {
  const hint = (account: string) => `The account "${account}" needs more: ALTER ROLE "${account}" CREATEDB CREATEROLE.`;
  const databases = await t.throwsAsync(awaitDatabase(urlsOf('no_databases', 'unmade'), signal), {
    code: 'ERR_SERVICE',
    message: /^the database at \S+ failed: permission denied to create database$/,
  });
  t.like(databases, { hint: hint('no_databases') });
  await awaitDatabase(urlsOf('no_roles', 'roleless'), signal);
  const roles = await t.throwsAsync(ensureRoles(urlsOf('no_roles', 'roleless'), limits, signal), {
    code: 'ERR_SERVICE',
    message: /permission denied to create role/,
  });
  t.like(roles, { hint: hint('no_roles') });
});
