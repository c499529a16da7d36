import type { ServerResponse } from 'node:http';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { answer, loseAnswer, ScriptedReceiver } from './scripted-receiver-fixture.ts';
import { createSender } from './sender.ts';
import type { Resolve } from './sender.ts';

const never = new AbortController().signal;

function sender(t: ExecutionContext, rules: { hosts?: string[]; privateHosts?: string[] }, resolve?: Resolve) {
  const made = createSender(
    () => Promise.resolve({ hosts: [], privateHosts: [], ...rules }),
    () => 0,
    resolve,
  );
  t.teardown(() => made.close());
  return (url: string, signal = never) => made.send({ url, headers: { 'x-token': 'open' }, body: '{"a":1}' }, signal);
}

const resolveTo = (...rounds: readonly (readonly string[])[]): Resolve => {
  const left = [...rounds];
  return (_, __, done) => {
    const addresses = (left.length > 1 ? left.shift() : left[0]) ?? [];
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
};

test('a configured private host gets the bytes as they are', async (t) => {
  const receiver = await ScriptedReceiver.start(t);
  t.deepEqual(await sender(t, { privateHosts: [receiver.host] })(`http://${receiver.host}/hook?a=1`), { kind: 'done' });
  t.like(receiver.received[0], { path: '/hook?a=1', body: '{"a":1}', headers: { 'x-token': 'open' } });
});

test('A12: a private address gets nothing unless it is configured as such', async (t) => {
  const receiver = await ScriptedReceiver.start(t);
  const named = `inside.example:${receiver.port}`;
  t.regex(reasonOf(await sender(t, {})(`http://${receiver.host}/`)), /not among the configured hosts/);
  t.regex(reasonOf(await sender(t, { hosts: [receiver.host] })(`http://${receiver.host}/`)), /private network/);
  const inside = resolveTo(['127.0.0.1']);
  t.regex(
    reasonOf(await sender(t, { hosts: [named] }, inside)(`http://${named}/`)),
    /inside\.example is refused: 127\.0\.0\.1/,
  );
  t.deepEqual(receiver.received, []);
  t.is((await sender(t, { privateHosts: [named] }, inside)(`http://${named}/`)).kind, 'done');
});

test('A12: a name that is public once and private the next time, or both at once, gets nothing', async (t) => {
  const receiver = await ScriptedReceiver.start(t);
  const named = `rebind.example:${receiver.port}`;
  const send = sender(
    t,
    { hosts: [named] },
    resolveTo(['203.0.114.1', '127.0.0.1'], ['169.254.169.254'], ['127.0.0.1']),
  );
  for (const expected of [/127\.0\.0\.1/, /169\.254\.169\.254/, /127\.0\.0\.1/])
    t.regex(reasonOf(await send(`http://${named}/`)), expected);
  t.deepEqual(receiver.received, []);
});

test('A12: a redirect is not followed, with or without credentials', async (t) => {
  const other = await ScriptedReceiver.start(t);
  const moved = [301, 302, 303, 307, 308].map((status) => answer(status, { location: `http://${other.host}/stolen` }));
  const receiver = await ScriptedReceiver.start(t, moved);
  const send = sender(t, { privateHosts: [receiver.host, other.host] });
  for (const status of [301, 302, 303, 307, 308])
    t.regex(reasonOf(await send(`http://${receiver.host}/`)), new RegExp(`${status}; redirects are not followed`));
  t.deepEqual(other.received, []);
  t.is(receiver.received.length, 5, 'and nothing is repeated by itself');
});

test('lost answers, closed ports and endless answers are answers too', async (t) => {
  const endless = answerForever();
  const receiver = await ScriptedReceiver.start(t, [loseAnswer, endless, answer(500, {}, 'out of order')]);
  const send = sender(t, { privateHosts: [receiver.host] });
  const url = `http://${receiver.host}/`;
  t.is((await send(url)).kind, 'retry');
  t.is((await send(url)).kind, 'done', 'its status is what counts');
  t.regex(reasonOf(await send(url)), /500: out of order/);
  receiver.stop();
  t.regex(reasonOf(await send(url)), /ECONNREFUSED|socket hang up/);
});

test('what is no longer wanted ends at once', async (t) => {
  const receiver = await ScriptedReceiver.start(t, [() => 'no answer at all']);
  const controller = new AbortController();
  const sending = sender(t, { privateHosts: [receiver.host] })(`http://${receiver.host}/`, controller.signal);
  while (receiver.received.length === 0) await new Promise((wake) => setTimeout(wake, 5));
  controller.abort();
  t.is((await sending).kind, 'retry');
});

function answerForever() {
  return (response: ServerResponse): void => {
    response.writeHead(200);
    const more = (): void => {
      if (!response.destroyed) response.write('x'.repeat(10_000), more);
    };
    more();
  };
}

function reasonOf(result: Awaited<ReturnType<ReturnType<typeof createSender>['send']>>): string {
  return result.kind === 'done' ? '' : result.reason;
}
