import test from 'ava';
import { startPostgres } from '../../store/postgres/postgres-server-fixture.ts';
import { connect, stateOf, withConnection } from '../database/connection.ts';
import { endSessions } from '../database/sessions.ts';
import { defaultLimits } from './limits.ts';
import { openSessionAccount } from './session-account.ts';

test('a role that is shut lets nobody in; its sessions stay until they are ended; removed, its things belong to the account', async (t) => {
  const server = await startPostgres();
  t.teardown(() => server.remove());
  const url = await server.database();
  const signal = AbortSignal.timeout(60_000);
  await withConnection({ url, signal }, async (connection) => {
    const account = await openSessionAccount(connection, { url, dedicated: false, limits: defaultLimits }, signal);
    const session = await connect({ url: account.url, signal });
    await session.query('RESET ROLE; SET ROLE NONE; CREATE TEMP TABLE mine (id int)');
    await session.query(
      'SET ROLE sluice; GRANT CREATE ON SCHEMA public TO PUBLIC; SET ROLE NONE; CREATE TABLE left_over (id int)',
    );
    await account.shut(connection);
    const refused = await t.throwsAsync(connect({ url: account.url, signal }));
    t.is(stateOf(refused), '28000');
    t.is((await session.query('SELECT 1')).length, 1);
    t.is(await endSessions(connection, account.sessions, signal), 1);
    await t.throwsAsync(session.query('SELECT 1'));
    await session.close();
    await account.remove(connection);
    const [owner] = await connection.query("SELECT tableowner FROM pg_tables WHERE tablename = 'left_over'");
    t.is(owner?.['tableowner'], 'sluice');
    t.deepEqual(await connection.query("SELECT 1 FROM pg_roles WHERE rolname LIKE 'sluice\\_migrate%'"), []);
  });
});
