import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { finished, newRun, owner } from '../store/contract-data.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { deliverOutbox } from './deliver-outbox.ts';
import { signingSecret, team } from './notice-fixture.ts';
import { createReceiver } from './receivers.ts';
import { answer, loseAnswer, ScriptedReceiver } from './scripted-receiver-fixture.ts';
import { createSender } from './sender.ts';

/** A server's outbox with a clock that this test moves: what waits for an hour does not wait for real. */
async function setUp(t: ExecutionContext, host: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-outbox-'));
  const clock = { now: 1_000_000 };
  const read = () => clock.now;
  const store = await openSqliteStore({ file: join(folder, 'sluice.db'), clock: read, isAlive: () => true });
  t.teardown(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const sender = createSender(() => Promise.resolve({ hosts: [], privateHosts: [host] }), read);
  t.teardown(() => sender.close());
  const book = {
    status: () => Promise.resolve(undefined),
    subscriber: (name: string) =>
      Promise.resolve(name === 'team' ? { url: `http://${host}/events`, secret: signingSecret } : undefined),
  };
  const receiver = createReceiver(sender, book, 'https://sluice.example', read);
  const log: string[] = [];
  const note = (level: string) => (message: string) => log.push(`${level} ${message}`);
  const logger = { error: note('error'), warn: note('warn'), info: note('info'), debug: note('debug') };

  const finish = async (runId: string, at: number, target = team): Promise<void> => {
    const run = newRun(runId);
    const request = { ...run.event.request, notify: [target] };
    const lease = await store.createRun({ ...run, event: { ...run.event, request } }, owner('a'));
    await store.append(lease, 1, [{ ...finished({ outcome: 'succeeded' }), at }]);
  };
  /** Delivers until `done`, the clock going on by `stepMs` whenever nothing is due. */
  const deliver = async (done: () => boolean | Promise<boolean>, stepMs = 0): Promise<void> => {
    const controller = new AbortController();
    const running = deliverOutbox({ outbox: store, receiver, clock: read, logger }, controller.signal);
    for (let tries = 0; !(await done()); tries++) {
      if (tries > 2_000) throw new Error(`not delivered: ${log.join('; ')}`);
      await new Promise((wake) => setTimeout(wake, 5));
      clock.now += stepMs;
    }
    controller.abort();
    await running;
  };
  const isEmpty = async () => (await store.nextNotice()) === undefined;
  return { store, clock, log, finish, deliver, isEmpty };
}

const ids = ({ received }: ScriptedReceiver) => received.map(({ headers }) => headers['webhook-id']);

test('F-27: a receiver that was down gets everything once it is back, in order and once', async (t) => {
  const first = await ScriptedReceiver.start(t);
  const { port, host } = first;
  first.stop();
  const { clock, log, finish, deliver, isEmpty } = await setUp(t, host);
  for (const at of [1, 2, 3]) await finish(`r${at}`, at);
  await deliver(() => log.length > 0);
  t.is(log[0], 'warn A receiver could not be told');
  clock.now += 60_000;
  const back = await ScriptedReceiver.start(t, [], port);
  await deliver(isEmpty, 20);
  t.deepEqual(ids(back), ['r1.2', 'r2.2', 'r3.2']);
});

test('an answer that was lost leads to the same message again, with the same id', async (t) => {
  const receiver = await ScriptedReceiver.start(t, [loseAnswer]);
  const { finish, deliver, isEmpty } = await setUp(t, receiver.host);
  await finish('r1', 1);
  await finish('r2', 2);
  await deliver(isEmpty, 20);
  t.deepEqual(ids(receiver), ['r1.2', 'r1.2', 'r2.2']);
  t.is(receiver.received[0]?.body, receiver.received[1]?.body);
});

test('a receiver that is asked too much is left alone for as long as it says', async (t) => {
  const receiver = await ScriptedReceiver.start(t, [answer(429, { 'retry-after': '3600' })]);
  const { store, clock, finish, deliver, log } = await setUp(t, receiver.host);
  await finish('r1', 1);
  await deliver(() => log.length > 0);
  await deliver(async () => (await store.nextNotice()) === clock.now + 3_600_000);
  clock.now += 3_600_000;
  await deliver(async () => (await store.nextNotice()) === undefined);
  t.is(receiver.received.length, 2);
});

test('what is refused for good, or is to nobody, is given up and does not hold up the next', async (t) => {
  const receiver = await ScriptedReceiver.start(t, [answer(422)]);
  const { finish, deliver, isEmpty, log } = await setUp(t, receiver.host);
  await finish('r1', 1);
  await finish('r2', 2);
  await finish('r3', 3, { kind: 'events', name: 'gone' });
  await finish('r4', 4, { kind: 'status', name: 'gone' });
  await deliver(isEmpty);
  t.deepEqual(ids(receiver), ['r1.2', 'r2.2']);
  t.deepEqual(
    log,
    Array.from({ length: 3 }, () => 'error A receiver was given up'),
  );
});

test('what was under way when the server is told to stop is due again at once', async (t) => {
  const receiver = await ScriptedReceiver.start(t, [() => 'no answer at all']);
  const { store, clock, finish, deliver, isEmpty } = await setUp(t, receiver.host);
  await finish('r1', 1);
  await deliver(() => receiver.received.length === 1);
  t.is(await store.nextNotice(), clock.now);
  await deliver(isEmpty);
  t.deepEqual(ids(receiver), ['r1.2', 'r1.2']);
});
