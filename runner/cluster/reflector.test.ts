import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { WatchEvent, WatchOptions } from './cluster-client.ts';
import type { ClusterError } from './cluster-error.ts';
import type { ClientLimits } from './http-cluster-client.ts';
import type { ConfigMap } from './objects.ts';
import { configMaps } from './resources.ts';
import { ScriptedServer, json, line, named, page, reset, status, watched } from './scripted-server-fixture.ts';

const bookmark = (resourceVersion: string): string => line('BOOKMARK', { metadata: { resourceVersion } });
const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (9)' };
const listed = ['listed', 'a'];

/** A watch on a scripted server whose events are short: type and names. */
class Watcher {
  readonly troubles: ClusterError[] = [];
  readonly #stop = new AbortController();
  readonly #events: AsyncIterator<WatchEvent<ConfigMap>>;
  readonly lastContact: () => number;

  constructor(
    t: ExecutionContext,
    client: Awaited<ReturnType<ScriptedServer['connect']>>,
    options: Partial<WatchOptions> = {},
  ) {
    const onTrouble = (error: ClusterError): unknown => this.troubles.push(error);
    const watch = client.watch(configMaps, { namespace: 'n' }, { signal: this.#stop.signal, onTrouble, ...options });
    this.#events = watch[Symbol.asyncIterator]();
    this.lastContact = () => watch.lastContact;
    t.teardown(() => this.stop());
  }

  async next(): Promise<readonly string[]> {
    const result = await this.#events.next();
    if (result.done === true) return ['ended'];
    const { value } = result;
    const names =
      value.type === 'listed' ? value.items.map(({ metadata }) => metadata.name) : [value.object.metadata.name];
    return [value.type, ...names];
  }

  stop(): void {
    this.#stop.abort();
  }
}

interface Scene {
  readonly server: ScriptedServer;
  readonly watcher: Watcher;
  /** Verb and version of each request. */
  readonly asked: () => readonly string[];
}

async function stage(
  t: ExecutionContext,
  limits: Partial<ClientLimits> = {},
  options: Partial<WatchOptions> = {},
): Promise<Scene> {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t, { perSecond: 1_000, ...limits });
  const asked = (): readonly string[] =>
    server.received.map(({ query }) => (query.has('watch') ? `watch ${query.get('resourceVersion') ?? ''}` : 'list'));
  return { server, watcher: new Watcher(t, client, options), asked };
}

test('a watch begins with a list, goes on from its version and asks for bookmarks', async (t) => {
  const { asked, server, watcher } = await stage(t);
  const lines = [
    line('ADDED', named('b', '6')),
    line('MODIFIED', named('b', '7')),
    bookmark('8'),
    line('DELETED', named('b', '9')),
  ];
  server.script(page(['a'], '5'), watched(lines, 'is silent'));
  t.is(watcher.lastContact(), 0);
  t.deepEqual(await watcher.next(), listed);
  t.true(watcher.lastContact() > 0);
  t.deepEqual(await watcher.next(), ['changed', 'b']);
  t.deepEqual(await watcher.next(), ['changed', 'b']);
  t.deepEqual(await watcher.next(), ['deleted', 'b']);
  t.deepEqual(asked(), ['list', 'watch 5']);
  t.is(server.received[1]?.query.get('allowWatchBookmarks'), 'true');
  t.is(server.received[1]?.query.get('timeoutSeconds'), '30');
});

test('a watch whose connection breaks resumes at the last version, without a list', async (t) => {
  const { asked, server, watcher } = await stage(t);
  server.script(
    page(['a'], '5'),
    watched([line('ADDED', named('b', '6'))], 'breaks'),
    reset,
    watched([line('ADDED', named('c', '7')), bookmark('8')], 'breaks'),
    watched([line('ADDED', named('d', '9'))], 'is silent'),
  );
  for (const expected of [listed, ['changed', 'b'], ['changed', 'c'], ['changed', 'd']])
    t.deepEqual(await watcher.next(), expected);
  t.deepEqual(asked(), ['list', 'watch 5', 'watch 6', 'watch 6', 'watch 8']);
  t.deepEqual(
    watcher.troubles.map(({ reason }) => reason),
    ['Unreachable', 'Unreachable', 'Unreachable'],
  );
});

test('half a line at the end is not an event: it comes whole when the watch resumes', async (t) => {
  const { asked, server, watcher } = await stage(t);
  const whole = line('ADDED', named('ä', '7'));
  const bytes = Buffer.from(whole);
  const middle = bytes.indexOf(Buffer.from('ä')) + 1;
  server.script(
    page(['a'], '5'),
    watched([line('ADDED', named('b', '6')), whole.slice(0, 20)], 'breaks'),
    (response) => {
      response.write(bytes.subarray(0, middle), () => setTimeout(() => response.write(bytes.subarray(middle)), 20));
    },
  );
  for (const expected of [listed, ['changed', 'b'], ['changed', 'ä']]) t.deepEqual(await watcher.next(), expected);
  t.deepEqual(asked(), ['list', 'watch 5', 'watch 6']);
});

test('a watch that the server ends in good order goes on where it was', async (t) => {
  const { asked, server, watcher } = await stage(t);
  server.script(page(['a'], '5'), watched([bookmark('6')], 'ends'), watched([line('ADDED', named('b', '7'))], 'ends'));
  t.deepEqual(await watcher.next(), listed);
  t.deepEqual(await watcher.next(), ['changed', 'b']);
  t.deepEqual(asked(), ['list', 'watch 5', 'watch 6']);
  t.deepEqual(watcher.troubles, []);
});

for (const [title, reply] of [
  ['an ERROR of 410', watched([line('ERROR', expired)], 'ends')],
  ['HTTP 410', json(expired, 410)],
  ['an ERROR of another kind', watched([line('ERROR', { ...expired, code: 500, reason: 'InternalError' })], 'ends')],
  ['an ERROR without a code', watched([line('ERROR', {})], 'ends')],
  ['HTTP 500', status(500, 'InternalError')],
  ['HTTP 403', status(403, 'Forbidden')],
  ['a line that is no JSON', watched(['{"type":"ADDED","object":{"metadata":\n'], 'is silent')],
  ['a line of an unknown form', watched(['{"type":"ADDED"}\n'], 'is silent')],
  ['an object without a version', watched([line('ADDED', { metadata: { name: 'x' } })], 'is silent')],
] as const) {
  test(`after ${title} the truth is listed anew`, async (t) => {
    const { asked, server, watcher } = await stage(t);
    server.script(page(['a'], '5'), reply, page(['z'], '9'), watched([line('ADDED', named('b', '10'))], 'is silent'));
    for (const expected of [listed, ['listed', 'z'], ['changed', 'b']]) t.deepEqual(await watcher.next(), expected);
    t.deepEqual(asked(), ['list', 'watch 5', 'list', 'watch 9']);
    t.is(watcher.troubles.length, 1);
  });
}

test('a bookmark without a version leads to a list', async (t) => {
  const { asked, server, watcher } = await stage(t);
  server.script(page(['a'], '5'), watched([line('BOOKMARK', {})], 'ends'), page(['a'], '9'));
  t.deepEqual(await watcher.next(), listed);
  t.deepEqual(await watcher.next(), listed);
  t.deepEqual(asked(), ['list', 'watch 5', 'list']);
});

test('a connection that says nothing, not even a bookmark, is given up, and the watch resumes', async (t) => {
  const { asked, server, watcher } = await stage(t, { silenceMs: 500 });
  server.script(
    page(['a'], '5'),
    watched([bookmark('6')], 'is silent'),
    watched([line('ADDED', named('b', '7'))], 'is silent'),
  );
  t.deepEqual(await watcher.next(), listed);
  t.deepEqual(await watcher.next(), ['changed', 'b']);
  t.deepEqual(asked(), ['list', 'watch 5', 'watch 6']);
  t.deepEqual(
    watcher.troubles.map(({ reason }) => reason),
    ['DeadlineExceeded'],
  );
});

test('a server that does not even begin to answer is given up after the deadline of a call', async (t) => {
  const { asked, server, watcher } = await stage(t, { deadlineMs: 1_000 });
  server.script(page(['a'], '5'), () => undefined, watched([line('ADDED', named('b', '7'))], 'is silent'));
  t.deepEqual(await watcher.next(), listed);
  t.deepEqual(await watcher.next(), ['changed', 'b']);
  t.deepEqual(asked(), ['list', 'watch 5', 'watch 5']);
});

test('the time that the reader takes is not the silence of the server', async (t) => {
  const { asked, server, watcher } = await stage(t, { silenceMs: 500 });
  server.script(page(['a'], '5'), (response) => {
    response.write(line('ADDED', named('b', '6')));
    setTimeout(() => response.write(line('ADDED', named('c', '7'))), 100);
  });
  t.deepEqual(await watcher.next(), listed);
  t.deepEqual(await watcher.next(), ['changed', 'b']);
  await sleep(1_000);
  t.deepEqual(await watcher.next(), ['changed', 'c']);
  t.deepEqual(asked(), ['list', 'watch 5']);
});

test('everything is listed anew when it is time, whatever the watch said', async (t) => {
  const { asked, server, watcher } = await stage(t, {}, { relistMs: 50 });
  server.script(page(['a'], '5'), watched([], 'breaks'), page(['z'], '9'), watched([], 'is silent'));
  t.deepEqual(await watcher.next(), listed);
  t.deepEqual(await watcher.next(), ['listed', 'z']);
  t.deepEqual(asked().slice(0, 3), ['list', 'watch 5', 'list']);
});

test('a server that is away is asked ever less often, and the watch is there when it comes back', async (t) => {
  const { server, watcher } = await stage(t, { deadlineMs: 2_000 });
  const { port } = server;
  server.script(page(['a'], '5'));
  t.deepEqual(await watcher.next(), listed);
  const next = watcher.next();
  await server.seen(2);
  await server.stop();
  await sleep(1_500);
  t.true(watcher.troubles.length >= 1);
  t.true(watcher.troubles.length <= 8, `${watcher.troubles.length} troubles`);
  server.script(watched([line('ADDED', named('b', '6'))], 'is silent'));
  await server.listen(port);
  t.deepEqual(await next, ['changed', 'b']);
});

test('a watch that ends again and again as soon as it begins does not become a storm', async (t) => {
  const { server, watcher } = await stage(t);
  server.script(page(['a'], '5'), ...Array.from({ length: 100 }, () => watched([], 'ends')));
  t.deepEqual(await watcher.next(), listed);
  const next = watcher.next();
  await sleep(1_000);
  t.true(server.received.length <= 8, `${server.received.length} requests`);
  watcher.stop();
  t.deepEqual(await next, ['ended']);
});

test('the signal ends a watch that waits, without an error, and its connection with it', async (t) => {
  const { server, watcher } = await stage(t);
  server.script(page(['a'], '5'), watched([bookmark('6')], 'is silent'));
  t.deepEqual(await watcher.next(), listed);
  const next = watcher.next();
  const { socket } = await server.seen(2);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  watcher.stop();
  t.deepEqual(await next, ['ended']);
  await closed;
  t.deepEqual(watcher.troubles, []);
});

test('the signal ends a watch whose reader is busy with an event', async (t) => {
  const { server, watcher } = await stage(t);
  server.script(
    page(['a'], '5'),
    watched([line('ADDED', named('b', '6')), line('ADDED', named('c', '7'))], 'is silent'),
  );
  t.deepEqual(await watcher.next(), listed);
  t.deepEqual(await watcher.next(), ['changed', 'b']);
  watcher.stop();
  await sleep(200);
  const rest = [await watcher.next(), await watcher.next()];
  t.deepEqual(rest.at(-1), ['ended']);
});

test('a reader that leaves the loop ends the request', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  server.script(page(['a'], '5'), watched([line('ADDED', named('b', '6'))], 'is silent'));
  const { signal } = new AbortController();
  for await (const { type } of client.watch(configMaps, {}, { signal })) if (type === 'changed') break;
  const { socket } = await server.seen(2);
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
  t.true(socket.destroyed);
});

test('closing the client ends its watches', async (t) => {
  const server = await ScriptedServer.start(t);
  const client = await server.connect(t);
  server.script(page(['a'], '5'), watched([bookmark('6')], 'is silent'));
  const watcher = new Watcher(t, client);
  await watcher.next();
  const next = watcher.next();
  await server.seen(2);
  await client.close();
  t.deepEqual(await next, ['ended']);
});
