import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { announce, Place } from './served.ts';
import type { Hook } from './served.ts';

const yaml = 'pipeline: shop\non: { push: }\nsteps: { unit: { run: exit 3 }, lint: { run: echo ok, needs: [] } }\n';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly status: { readonly code?: number };
}

interface Exported {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** A collector that keeps the spans it is sent. */
async function collector(t: ExecutionContext) {
  const spans: Span[] = [];
  const headers: unknown[] = [];
  const server = createServer((request, response) => {
    headers.push(request.headers['x-team']);
    void json(request).then((body) => {
      const { resourceSpans } = body as Exported;
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { spans, headers, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function traced(t: ExecutionContext, variables: NodeJS.ProcessEnv = {}) {
  const { spans, url } = await collector(t);
  const traces = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '100', ...variables };
  const place = await Place.open(t, { ...traces, SLUICE_RUNS: '0' });
  const commit = await place.push(yaml);
  const hook = (await place.sluice(
    ...['repository', 'add', 'shop', '--forge', 'gitea', '--url', join(place.folder, 'shop.git')],
  )) as Hook;
  await place.serve();
  /** Each a change of its own. */
  const send = async (traceparent: string, before: string) => {
    const { status } = await announce(place.url, hook, commit, {
      headers: { traceparent },
      before: before.repeat(40),
    });
    t.is(status, 202);
  };
  /** A server that drives what this one has stored. */
  const drive = async (count: number) => {
    await place.kill();
    place.environment['SLUICE_RUNS'] = '20';
    await place.serve();
    await place.ended(count);
  };
  return { spans, send, drive };
}

const [traceId, parentId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

test('a run is part of the trace of the delivery that led to it, whichever server drives it', async (t) => {
  const { spans, send, drive } = await traced(t);
  await send(`00-${traceId}-${parentId}-01`, '1');
  await drive(1);
  while (spans.length < 6) await sleep(50);
  const root = spans.find(({ name }) => name === 'run shop');
  t.like(root, { traceId, parentSpanId: parentId });
  t.is(spans.find(({ name }) => name === 'step unit')?.parentSpanId, root?.spanId);
  t.deepEqual([...new Set(spans.map((span) => span.traceId))], [traceId]);
});

test('a traceparent that is malformed is ignored, and a trace that nobody records is not sent', async (t) => {
  const { spans, send, drive } = await traced(t);
  await send(`00-${traceId}-${parentId}-00`, '1');
  await send(`00-${traceId.toUpperCase()}-${parentId}-01`, '2');
  await drive(2);
  while (spans.length < 6) await sleep(50);
  await sleep(500);
  t.is(spans.length, 6);
  t.is(spans.find(({ name }) => name === 'run shop')?.parentSpanId ?? '', '');
  t.true(spans.every((span) => span.traceId !== traceId));
});

test('a run is counted in /metrics, for those who may see everything, and sent as a trace', async (t) => {
  const { spans, headers, url } = await collector(t);
  const place = await Place.open(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-team=shop',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  });
  const commit = await place.push(yaml);
  const hook = (await place.sluice(
    ...['repository', 'add', 'shop', '--forge', 'gitea', '--url', join(place.folder, 'shop.git')],
  )) as Hook;
  const token = async (...more: readonly string[]) =>
    ((await place.sluice('token', 'create', '--role', 'viewer', '--name', 'prometheus', ...more)) as { secret: string })
      .secret;
  const [whole, part] = [await token(), await token('--repository', 'shop')];
  await place.serve();
  await announce(place.url, hook, commit);
  await announce(place.url, hook, commit, { secret: 'guessed' });
  await place.ended(1);
  const ask = (secret: string) => fetch(`${place.url}/metrics`, { headers: { authorization: `Bearer ${secret}` } });
  t.is((await ask(part)).status, 403);
  t.is((await fetch(`${place.url}/metrics`)).status, 401);
  let text = '';
  while (!text.includes('sluice_runs_total{outcome="failed"')) text = await (await ask(whole)).text();
  t.regex(text, /^sluice_hook_deliveries_total\{outcome="run"\} 1$/m);
  t.regex(text, /^sluice_hook_deliveries_total\{outcome="refused"\} 1$/m);
  t.regex(text, /^sluice_attempts_total\{outcome="failed",reason="exit_code"\} 1$/m);
  t.regex(text, /^sluice_store_seconds_count\{kind="write",ok="true"\} [1-9]/m);
  while (spans.length < 6) await sleep(50);
  const named = (name: string) => spans.find((span) => span.name === name);
  const root = named('run shop');
  t.is(root?.parentSpanId ?? '', '');
  t.is(named('step unit')?.parentSpanId, root?.spanId);
  t.is(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  t.deepEqual([root?.status.code, named('step lint')?.status.code ?? 0], [2, 0]);
  t.is(headers[0], 'shop');
});
