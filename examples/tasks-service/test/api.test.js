import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { migrate } from '../src/migrate.js';
import { createApi } from '../src/server.js';
import { createTasks } from '../src/tasks.js';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
const server = createApi(createTasks(pool), () => new Date(2026, 5, 15));

before(async () => {
  const client = await pool.connect();
  await migrate(client);
  client.release();
  await once(server.listen(0), 'listening');
});

after(async () => {
  server.close();
  await pool.end();
});

async function call(method, path, body) {
  const url = `http://localhost:${server.address().port}${path}`;
  const response = await fetch(url, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

test('migrations that were applied are not applied again', async () => {
  const client = await pool.connect();
  assert.deepEqual(await migrate(client), []);
  client.release();
});

test('the service says that it is healthy', async () => {
  assert.deepEqual(await call('GET', '/healthz'), { status: 200, body: { ok: true } });
});

test('a task lives from POST to DELETE', async () => {
  const created = await call('POST', '/tasks', { title: 'Pay rent', due: '2026-06-14' });
  assert.equal(created.status, 201);
  const { id, ...fields } = created.body;
  assert.deepEqual(fields, { title: 'Pay rent', due: '2026-06-14', done: false, overdue: true });

  const changed = await call('PATCH', `/tasks/${id}`, { done: true });
  assert.deepEqual(changed, {
    status: 200,
    body: { id, title: 'Pay rent', due: '2026-06-14', done: true, overdue: false },
  });
  assert.equal((await call('PATCH', `/tasks/${id}`, { due: null })).body.due, null);

  assert.deepEqual(await call('DELETE', `/tasks/${id}`), { status: 204, body: undefined });
  assert.equal((await call('GET', `/tasks/${id}`)).status, 404);
  assert.equal((await call('DELETE', `/tasks/${id}`)).status, 404);
});

test('a list comes in pages', async () => {
  const ids = [];
  for (const title of ['a', 'b', 'c']) ids.push((await call('POST', '/tasks', { title })).body.id);
  const before = String(BigInt(ids[0]) - 1n);
  const first = await call('GET', `/tasks?limit=2&after=${before}`);
  assert.deepEqual(
    first.body.tasks.map((task) => task.title),
    ['a', 'b'],
  );
  const second = await call('GET', `/tasks?limit=2&after=${first.body.next}`);
  assert.deepEqual(second.body, {
    tasks: [{ id: ids[2], title: 'c', due: null, done: false, overdue: false }],
    next: null,
  });
});

test('mistakes of a client are 400 with every reason', async () => {
  const { status, body } = await call('POST', '/tasks', { title: '', colour: 'red' });
  assert.equal(status, 400);
  assert.equal(body.mistakes.length, 2);
  assert.equal((await call('GET', '/tasks?limit=0')).status, 400);
  assert.equal((await call('GET', '/tasks?after=x')).status, 400);
});

test('what is not there is 404, and a wrong method 405', async () => {
  assert.equal((await call('GET', '/nothing')).status, 404);
  assert.equal((await call('PUT', '/tasks')).status, 405);
});

test('a title is data, whatever it says', async () => {
  const title = "'); DROP TABLE tasks; --";
  const { body } = await call('POST', '/tasks', { title });
  assert.equal((await call('GET', `/tasks/${body.id}`)).body.title, title);
});
