// What `sluice serve` takes and answers: `node e2e/bench/server.ts`. The clients share the machine with the server.
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '../../runner/model/run-event.ts';
import type { TestCase } from '../../runner/model/result.ts';
import { openSqliteStore } from '../../runner/store/sqlite/sqlite-store.ts';
import type { Store } from '../../runner/store/store.ts';
import { ProcessWatch } from '../process-watch.ts';
import { announce, Place } from '../server/served.ts';
import type { Hook } from '../server/served.ts';

const deliveries = 3_000;
const runs = 10_000;
/** Of each tenth run; together with 1,000 runs a million. */
const cases = 1_000;
const followers = 200;
const logLines = 2_000;

const cleanups: (() => unknown)[] = [];
const rows: { readonly what: string; readonly measured: string; readonly target: string }[] = [];

async function openPlace(variables: NodeJS.ProcessEnv): Promise<Place> {
  return Place.open(
    { teardown: (cleanup) => void cleanups.unshift(cleanup) },
    { SLUICE_POLL_SECONDS: '0', ...variables },
  );
}

async function known(place: Place): Promise<Hook> {
  const url = join(place.folder, 'shop.git');
  return (await place.sluice('repository', 'add', 'shop', '--forge', 'gitea', '--url', url)) as Hook;
}

/** Does the work for each of `count` numbers, `width` at a time; the milliseconds that each took, in order of size. */
async function timed(count: number, width: number, work: (index: number) => Promise<unknown>) {
  const times: number[] = [];
  const numbers = Array.from({ length: count }, (_, index) => index).values();
  const worker = async () => {
    for (const index of numbers) {
      const start = performance.now();
      await work(index);
      times.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: width }, worker));
  const seconds = (performance.now() - start) / 1_000;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { perSecond: count / seconds, p50: at(0.5), p99: at(0.99) };
}

async function measureDeliveries(): Promise<void> {
  const place = await openPlace({ SLUICE_RUNS: '0' });
  const commit = await place.push('pipeline: shop\nsteps: { unit: { run: echo } }\n');
  const hook = await known(place);
  await place.serve();
  const watch = new ProcessWatch(place.pid);
  const send = async (ref: string) => {
    const { status } = await announce(place.url, hook, commit, { ref: `refs/heads/${ref}` });
    if (status !== 202) throw new Error(`A delivery was answered with ${status}.`);
  };
  await timed(300, 32, (index) => send(`warm-${index}`));
  const { perSecond, p99 } = await timed(deliveries, 32, (index) => send(`branch-${index}`));
  const { peakMegabytes, cpuMs } = watch.end();
  rows.push(
    {
      what: 'deliveries accepted durably',
      measured: `${perSecond.toFixed(0)}/s, p99 ${p99.toFixed(0)} ms`,
      target: '>= 300/s',
    },
    { what: 'processor time of a delivery', measured: `${(cpuMs / (deliveries + 300)).toFixed(2)} ms`, target: '' },
    { what: 'memory, deliveries', measured: `${peakMegabytes.toFixed(0)} MB`, target: '< 250 MB' },
  );
  await place.kill();
}

/** Runs, a tenth of them with test cases, as if they had been driven. */
async function fill(home: string): Promise<void> {
  const store = await openSqliteStore({ file: join(home, 'sluice.db'), clock: Date.now, isAlive: () => true });
  const owner = { id: 'bench', host: 'host', pid: process.pid, startedAt: '' };
  for (let index = 0; index < runs; index++) {
    await fillRun(store, `run-${String(index).padStart(6, '0')}`, index, owner);
  }
  await store.close();
}

async function fillRun(store: Store, runId: string, index: number, owner: Parameters<Store['createRun']>[1]) {
  const [at, repository] = [1_700_000_000_000 + index * 1_000, `shop-${index % 20}`];
  const trigger = { event: 'push', ref: 'refs/heads/main', branch: 'main', tag: '', actor: 'ada' } as const;
  const commit = index.toString(16).padStart(40, '0');
  const request = { repository, trigger: { ...trigger, commit }, file: 'sluice.yaml', dirty: false };
  const row = {
    runId,
    repository,
    pipeline: 'shop',
    branch: 'main',
    commit,
    event: 'push',
    priority: 0,
    createdAt: at,
    group: '',
  };
  const digest = '0'.repeat(64);
  const facts = {
    pipeline: 'shop',
    group: '',
    plan: digest,
    snapshot: digest,
    executor: 'local',
    carried: {},
  } as const;
  const lease = await store.createRun({ row, event: { type: 'run-created', at, runId, request, ...facts } }, owner);
  if (index % 10 === 0) await store.saveTests(lease, { runId, step: 'unit', attempt: 1 }, batches(index));
  const outcome = index % 7 === 0 ? 'failed' : 'succeeded';
  const finished: RunEvent = { type: 'run-finished', at: at + 500, verdict: { outcome } };
  await store.append(lease, 1, [finished]);
}

async function* batches(run: number): AsyncGenerator<readonly TestCase[]> {
  yield await Promise.resolve(
    Array.from({ length: cases }, (_, index) => ({
      ...{
        suites: ['orders'],
        className: `Orders${index % 31}`,
        name: `answers request ${index}`,
        file: 'orders.test.ts',
      },
      ...({ outcome: (run + index) % 97 === 0 ? 'failed' : 'passed', flaky: false, durationMs: index % 50 } as const),
      ...{ message: '', details: '', systemOut: '', systemErr: '', attachments: [] },
    })),
  );
}

async function measureReads(): Promise<void> {
  const place = await openPlace({ SLUICE_RUNS: '0' });
  const { secret } = (await place.sluice('token', 'create', '--role', 'viewer', '--name', 'bench')) as {
    secret: string;
  };
  const start = performance.now();
  await fill(join(place.folder, 'home'));
  process.stderr.write(`${runs} runs were stored in ${((performance.now() - start) / 1_000).toFixed(0)} s\n`);
  await place.serve();
  const watch = new ProcessWatch(place.pid);
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`${place.url}${path}`, { headers: { authorization: `Bearer ${secret}` } });
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${await response.text()}`);
    return response.json();
  };
  const { cases: found } = (await get('/v1/tests?repository=shop-0&limit=1')) as { cases: { caseId: string }[] };
  const lists = {
    'list of runs': '/v1/runs?limit=50',
    'list of red runs of a repository': '/v1/runs?repository=shop-7&outcome=failed&limit=50',
    'list of runs by commit': `/v1/runs?commit=${(77).toString(16).padStart(40, '0')}`,
    'runs of a branch that has none': '/v1/runs?branch=none',
    'history of a test case': `/v1/tests/${found[0]?.caseId ?? ''}/results?limit=50`,
    'flaky tests of a repository': '/v1/tests/flaky?repository=shop-0',
  };
  for (const [what, path] of Object.entries(lists)) {
    await timed(20, 4, () => get(path));
    const { perSecond, p50, p99 } = await timed(400, 4, () => get(path));
    const measured = `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${perSecond.toFixed(0)}/s`;
    rows.push({ what, measured, target: 'p99 < 50 ms' });
  }
  rows.push({ what: 'memory, reads', measured: `${watch.end().peakMegabytes.toFixed(0)} MB`, target: '< 250 MB' });
  await place.kill();
}

async function measureFollowers(): Promise<void> {
  const place = await openPlace({});
  const line = 'x'.repeat(99);
  const script = `for i in $(seq ${logLines}); do echo ${line}; sleep 0.005; done`;
  const commit = await place.push(`pipeline: shop\non: { push: }\nsteps: { unit: { run: "${script}" } }\n`);
  const hook = await known(place);
  const { secret } = (await place.sluice('token', 'create', '--role', 'viewer', '--name', 'bench')) as {
    secret: string;
  };
  await place.serve();
  const headers = { authorization: `Bearer ${secret}` };
  const { body } = await announce(place.url, hook, commit);
  const [{ runId = '' } = {}] = (body as { readonly deliveries: readonly { readonly runId?: string }[] }).deliveries;
  const log = `${place.url}/v1/runs/${runId}/steps/unit/attempts/1/log?follow=true`;
  while (!(await fetch(log.replace('?follow=true', ''), { headers })).ok) await sleep(50);
  const watch = new ProcessWatch(place.pid);
  let ended = 0;
  const over = (async () => {
    const read = async () =>
      (await (await fetch(`${place.url}/v1/runs/${runId}`, { headers })).json()) as { phase: string };
    while ((await read()).phase !== 'finished') await sleep(20);
    ended = performance.now();
  })();
  const lags = await Promise.all(
    Array.from({ length: followers }, async () => {
      const bytes = (await (await fetch(log, { headers })).arrayBuffer()).byteLength;
      if (bytes !== logLines * 100) throw new Error(`A follower got ${bytes} bytes.`);
      return performance.now();
    }),
  );
  await over;
  const { peakMegabytes, cpuMs } = watch.end();
  const lag = Math.max(...lags) - ended;
  rows.push(
    {
      what: `${followers} followers of a log`,
      measured: `the last is done ${lag.toFixed(0)} ms after the run`,
      target: '< 1,000 ms',
    },
    {
      what: 'processor time of a follower',
      measured: `${(cpuMs / followers).toFixed(1)} ms in ${(logLines * 0.006).toFixed(0)} s`,
      target: '',
    },
    { what: 'memory, followers', measured: `${peakMegabytes.toFixed(0)} MB`, target: '< 250 MB' },
  );
  await place.kill();
}

try {
  await measureDeliveries();
  await measureFollowers();
  await measureReads();
} finally {
  console.table(rows);
  for (const cleanup of cleanups) await cleanup();
}
