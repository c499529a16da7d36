import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { ClusterError } from './cluster-error.ts';
import { ScriptedServer, status } from './scripted-server-fixture.ts';
import type { Reply } from './scripted-server-fixture.ts';

const at = { namespace: 'n', name: 'p', container: 'c' };
const { signal } = new AbortController();

test('a log is read to its end, with what was asked for', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  server.script((response) => response.end('one\ntwo\n'));
  const log = await client.log(at, { signal, tailLines: 0, limitBytes: 9, previous: true, timestamps: true });
  t.is(await text(log), 'one\ntwo\n');
  const { path, query } = await server.seen(1);
  t.is(path, '/api/v1/namespaces/n/pods/p/log');
  t.is(query.toString(), 'container=c&tailLines=0&limitBytes=9&timestamps=true&previous=true');
});

test('a log that is cut is an error for its reader, and nothing at all when nobody reads', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  const broken: Reply = (response) => {
    response.write('one\n', () => setTimeout(() => response.socket?.destroy(), 20));
  };
  server.script(broken, broken);
  await t.throwsAsync(text(await client.log(at, { signal, follow: true })));
  const unread = await client.log(at, { signal, follow: true });
  await sleep(100);
  t.true(unread.destroyed || unread.errored === null);
});

test('a log that is followed may be quiet for longer than any deadline, and ends with the signal', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t, { deadlineMs: 100 });
  const stop = new AbortController();
  server.script((response) => setTimeout(() => response.write('late\n'), 300));
  const log = await client.log(at, { signal: stop.signal, follow: true });
  const read: string[] = [];
  const reading = t.throwsAsync(async () => {
    for await (const chunk of log) {
      read.push(String(chunk));
      stop.abort();
    }
  });
  await reading;
  t.deepEqual(read, ['late\n']);
});

test('a log that is not followed has to go on within the deadline', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t, { deadlineMs: 500 });
  server.script(
    () => undefined,
    (response) => response.write('one\n'),
  );
  const error = await t.throwsAsync(client.log(at, { signal }), { instanceOf: ClusterError });
  t.like(error, { reason: 'DeadlineExceeded', outcome: 'refused' });
  await t.throwsAsync(text(await client.log(at, { signal })));
});

test('a slow reader of a log loses nothing and is not taken for a slow server', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t, { deadlineMs: 500 });
  const size = 4_000_000;
  server.script((response) => response.end(Buffer.alloc(size, 'x')));
  const log = await client.log(at, { signal });
  await sleep(1_000);
  let bytes = 0;
  for await (const chunk of log) bytes += (chunk as Buffer).length;
  t.is(bytes, size);
});

test('a container that has no log yet is a typed error', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  server.script(
    status(400, 'BadRequest', { message: 'container "c" in pod "p" is waiting to start: ContainerCreating' }),
  );
  const error = await t.throwsAsync(client.log(at, { signal, follow: true }), { instanceOf: ClusterError });
  t.like(error, { status: 400, reason: 'BadRequest' });
  t.regex(error.message, /^log of n\/p\/c: .*ContainerCreating$/);
});

test('an aborted signal or a closed client ends a log that has not begun', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  const stop = new AbortController();
  const first = client.log(at, { signal: stop.signal, follow: true });
  const second = client.log(at, { signal, follow: true });
  await server.seen(2);
  stop.abort();
  await t.throwsAsync(first, { code: 'ERR_ABORTED' });
  await client.close();
  await t.throwsAsync(second, { code: 'ERR_ABORTED' });
});
