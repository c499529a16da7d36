import test from 'ava';
import { storeContract } from '../store-contract.ts';
import { startPostgres } from './postgres-server-fixture.ts';
import type { PostgresServer } from './postgres-server-fixture.ts';
import { openPostgresStore } from './postgres-store.ts';

let server: PostgresServer;
test.before(async () => {
  server = await startPostgres(['max_connections=500']);
});
test.after.always(() => server.remove());

storeContract(async () => {
  const url = await server.database();
  const name = new URL(url).pathname.slice(1);
  return {
    open: () => openPostgresStore({ url, clock: () => 1_000, version: 'test' }),
    kill: async (ownerId) => {
      await server.query(`update runners set expires_at = 0 where id = '${ownerId}'`, name);
    },
    execute: (sql) => server.query(sql, name),
  };
});
