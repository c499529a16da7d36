import { readFileSync } from 'node:fs';
import test from 'ava';
import { websocketSchema } from './messages.ts';
import { idOf, readMessage } from './read-message.ts';

test('schemas/websocket.schema.json is what the server checks messages against', (t) => {
  const stored: unknown = JSON.parse(readFileSync('schemas/websocket.schema.json', 'utf8'));
  t.deepEqual(
    stored,
    JSON.parse(JSON.stringify(websocketSchema())),
    'Write it anew: `websocketSchema()` as JSON, formatted.',
  );
});

test('a message that is none says what is wrong with it, and which one it was', (t) => {
  const wrong = (frame: string) => (t.throws(() => readMessage(frame)) as unknown as { problem: object }).problem;
  t.like(wrong('no JSON'), { status: 400, code: 'malformed' });
  for (const frame of ['null', '[]', '7', '{}', '{"type":"nope"}', '{"type":"toString"}', '{"type":{}}'])
    t.like(wrong(frame), { status: 400, code: 'malformed' }, frame);
  const run = { type: 'run', id: 'a', repository: 'shop', commit: 'main' };
  t.deepEqual(readMessage(JSON.stringify(run)), run as never);
  t.like(wrong(JSON.stringify({ ...run, comand: 'x' })), { place: 'message/comand' });
  t.like(wrong(JSON.stringify({ ...run, id: '' })), { place: 'message/id' });
  t.is(idOf(JSON.stringify({ ...run, comand: 'x' })), 'a');
  t.is(idOf('{"id":7}'), undefined);
  t.is(idOf('no JSON'), undefined);
});
