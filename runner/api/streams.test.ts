import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { digestOf } from './tokens.ts';
import { openApi } from './api-fixture.ts';

const talking = 'pipeline: p\nsteps: { a: { run: "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.2; done" } }\n';

interface Opened {
  readonly response: IncomingMessage;
  readonly told: () => string;
  readonly ended: Promise<void>;
  close(): void;
}

function open(
  t: ExecutionContext,
  url: string,
  token: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { headers: { authorization: `Bearer ${token}`, ...headers }, agent: false },
      (response) => {
        let told = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (told += chunk));
        const ended = new Promise<void>((done) => response.once('close', () => done()));
        const close = (): void => void asked.destroy();
        t.teardown(close);
        resolve({ response, told: () => told, ended, close });
      },
    );
    asked.once('error', reject);
    asked.end();
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await condition()) return;
    await delay(25);
  }
  throw new Error('It did not come about.');
}

const idsOf = (told: string): readonly number[] => [...told.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
const eventsOf = (told: string): readonly string[] =>
  [...told.matchAll(/^event: (.+)$/gm)].map(([, name = '']) => name);

test('a log is followed while the step writes, as text and as events, and ends with the attempt', async (t) => {
  const world = await openApi(t);
  const { begin, url, admin, ask, engine } = world;
  const script = `echo line 1; while [ ! -e ${world.path('go')} ]; do sleep 0.05; done; echo line 2; echo line 3`;
  const runId = await begin(`pipeline: p\nsteps: { a: { run: "${script}" } }\n`);
  await until(async () => (await engine.state(runId)).steps.get('a')?.phase === 'running');
  const log = `${url}/v1/runs/${runId}/steps/a/attempts/1/log`;
  const [text, events] = await Promise.all([open(t, `${log}?follow=true`, admin), open(t, `${log}/events`, admin)]);
  await until(() => text.told() === 'line 1\n' && events.told().includes('line 1'));
  await world.write('go');
  await Promise.all([text.ended, events.ended]);
  const whole = (await ask(`/v1/runs/${runId}/steps/a/attempts/1/log`)).text;
  t.is(whole, [1, 2, 3].map((i) => `line ${i}\n`).join(''));
  t.is(text.told(), whole);
  t.is(eventsOf(events.told()).at(-1), 'end');
  const first = idsOf(events.told())[0] ?? 0;
  const rest = await open(t, `${log}/events`, admin, { 'last-event-id': String(first) });
  await rest.ended;
  const texts = [...rest.told().matchAll(/^data: (.*)$/gm)].map(
    ([, data = '']) => (JSON.parse(data) as { text?: string }).text ?? '',
  );
  t.is(texts.join(''), whole.slice(first), 'it goes on behind the byte that the id names');
  t.regex(
    (await ask(`/v1/runs/${runId}/steps/a/attempts/1/log/lines`)).text,
    /^\{"step":"a","attempt":1,"at":\d+,"text":"line 1"\}\n/,
  );
});

test('a part of a log is read by its bytes', async (t) => {
  const { run, ask } = await openApi(t);
  const runId = await run('pipeline: p\nsteps: { a: { run: printf 0123456789 } }\n');
  const part = (range: string) => ask(`/v1/runs/${runId}/steps/a/attempts/1/log`, { headers: { range } });
  t.like(await part('bytes=2-4'), {
    status: 206,
    text: '234',
    headers: { 'content-range': 'bytes 2-4/10', 'content-length': '3' },
  });
  t.like(await part('bytes=7-'), { status: 206, text: '789' });
  t.like(await part('bytes=-2'), { status: 206, text: '89' });
  t.like(await part('bytes=8-99'), { status: 206, text: '89' });
  t.like(await part('bytes=10-'), { status: 416 });
  for (const range of ['bytes=5-2', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=-', 'bytes=a-b']) {
    t.like(await part(range), { status: 200, text: '0123456789' }, range);
  }
});

test('events go on behind the last one that was seen, and none is lost or told twice', async (t) => {
  const { run, url, admin, store } = await openApi(t);
  await run(talking);
  const first = await open(t, `${url}/v1/events/stream`, admin, { 'last-event-id': '0' });
  await until(() => eventsOf(first.told()).includes('attempt-started'));
  first.close();
  const seen = idsOf(first.told());
  await run('pipeline: p\nsteps: { a: { run: "true" } }\n', 'bank');
  const second = await open(t, `${url}/v1/events/stream`, admin, { 'last-event-id': String(seen.at(-1)) });
  const end = await store.feedEnd();
  await until(() => idsOf(second.told()).at(-1) === end);
  t.deepEqual(
    [...seen, ...idsOf(second.told())],
    Array.from({ length: end }, (_, index) => index + 1),
  );
});

test('the events of a run end with it', async (t) => {
  const { begin, url, admin, store } = await openApi(t);
  const runId = await begin(talking);
  const stream = await open(t, `${url}/v1/runs/${runId}/events/stream`, admin);
  t.is(stream.response.headers['content-type'], 'text/event-stream; charset=utf-8');
  await stream.ended;
  t.deepEqual(
    eventsOf(stream.told()),
    (await store.events(runId)).map(({ type }) => type),
  );
});

test('a stream ends within seconds when its token is revoked, and when the server closes', async (t) => {
  const { url, token, store, admin, api } = await openApi(t);
  const secret = await token('viewer');
  const [mine, other] = await Promise.all([
    open(t, `${url}/v1/events/stream`, secret),
    open(t, `${url}/v1/events/stream`, admin),
  ]);
  await store.revokeToken((await store.findToken(digestOf(secret)))?.id ?? '', 1);
  const revoked = performance.now();
  await mine.ended;
  t.true(performance.now() - revoked < 5_000);
  t.regex(mine.told(), /^retry/);
  await Promise.all([api.close(), other.ended]);
  t.pass();
});

test('an artefact is downloaded whole and in part, and never shown as a page', async (t) => {
  const { run, ask } = await openApi(t);
  const runId = await run(`pipeline: p
steps:
  a: { run: "printf '<script>alert(1)</script>' > 'ü \\"x.html'; printf other > b.txt", artifacts: ["*.html", b.txt] }
`);
  const { json } = await ask(`/v1/runs/${runId}/artifacts`);
  const { artifacts } = json as { readonly artifacts: readonly { readonly path: string; readonly sha256: string }[] };
  t.deepEqual(artifacts.map(({ path }) => path).toSorted(), ['b.txt', 'ü "x.html']);
  const content = `/v1/runs/${runId}/steps/a/attempts/1/artifacts/content`;
  const file = `${content}?path=${encodeURIComponent('ü "x.html')}`;
  const { headers, text } = await ask(file);
  t.is(text, '<script>alert(1)</script>');
  t.like(headers, {
    'content-type': 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    'content-disposition': `attachment; filename="___x.html"; filename*=UTF-8''%C3%BC%20%22x.html`,
  });
  t.regex(String(headers['content-security-policy']), /sandbox/);
  const { etag = '' } = headers;
  t.like(await ask(file, { headers: { range: 'bytes=1-6' } }), {
    status: 206,
    text: 'script',
    headers: { 'content-range': 'bytes 1-6/25' },
  });
  t.like(await ask(file, { headers: { range: 'bytes=1-6', 'if-range': '"old"' } }), { status: 200 });
  t.like(await ask(file, { headers: { 'if-none-match': etag } }), { status: 304, text: '' });
  t.like(await ask(file, { method: 'HEAD' }), { status: 200, text: '', headers: { 'content-length': '25' } });
  for (const path of ['../../sluice.db', '/etc/passwd', 'b.txt%00', 'B.TXT']) {
    t.is((await ask(`${content}?path=${encodeURIComponent(path)}`)).status, 404, path);
  }
});
