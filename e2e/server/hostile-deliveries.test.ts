import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { hasCorpus, readCorpus } from '../../runner/triggers/corpus-fixture.ts';
import { githubPull, githubPush, gitlabPush, bodyOf } from '../../runner/triggers/delivery-fixture.ts';
import type { ForgeName } from '../../runner/triggers/forge.ts';
import { mutations } from '../../runner/triggers/mutations-fixture.ts';
import { ProcessWatch } from '../process-watch.ts';
import { announce, Place } from './served.ts';
import type { Hook } from './served.ts';

const secret = 'an open secret of tests';
/** What each value is swapped for; its key is removed too. */
const swaps = [null, 7, 'x', [], {}];
const leastSeries = 16;
const yaml = 'pipeline: shop\non: { push: { branches: [none] } }\nsteps: { unit: { run: echo tested } }\n';

interface Seed {
  readonly file: string;
  readonly forge: ForgeName;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: unknown;
}

const own: readonly Seed[] = [
  { file: 'push', forge: 'github', headers: { 'x-github-event': 'push' }, payload: githubPush },
  { file: 'pull request', forge: 'gitea', headers: { 'x-gitea-event': 'pull_request' }, payload: githubPull },
  { file: 'push of GitLab', forge: 'gitlab', headers: { 'x-gitlab-event': 'Push Hook' }, payload: gitlabPush },
];

function seeds(): readonly Seed[] {
  if (!hasCorpus) return own;
  return readCorpus().map(({ file, forge, headers, body }) => {
    const texts = Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && !/signature|token/.test(name) ? [[name, value] as const] : [],
    );
    return { file, forge, headers: Object.fromEntries(texts), payload: JSON.parse(body.toString()) as unknown };
  });
}

function signature(forge: ForgeName, body: Buffer): Readonly<Record<string, string>> {
  const digest = createHmac('sha256', secret).update(body).digest('hex');
  switch (forge) {
    case 'github':
      return { 'x-hub-signature-256': `sha256=${digest}` };
    case 'bitbucket':
      return { 'x-hub-signature': `sha256=${digest}` };
    case 'gitea':
      return { 'x-gitea-signature': digest };
    case 'gitlab':
      return { 'x-gitlab-token': secret };
  }
}

async function setUp(t: ExecutionContext, names: readonly ForgeName[]) {
  const place = await Place.open(t, { SLUICE_RUNS: '0', SLUICE_POLL_SECONDS: '0' });
  const commit = await place.push(yaml);
  const secretFile = join(place.folder, 'secret');
  await writeFile(secretFile, secret);
  const url = join(place.folder, 'shop.git');
  const hooks = new Map<ForgeName, string>();
  for (const forge of names) {
    const args = ['repository', 'add', forge, '--forge', forge, '--url', url, '--secret-file', secretFile];
    hooks.set(forge, ((await place.sluice(...args)) as Hook).hook);
  }
  await place.serve();
  return { place, commit, hooks };
}

test('R001-27: whatever is missing, null or of another type in a signed delivery, the server answers 2xx or 4xx and stays as it is', async (t) => {
  t.timeout(600_000);
  const { place, hooks } = await setUp(t, ['github', 'gitlab', 'gitea', 'bitbucket']);
  const { pid } = place;
  const watch = new ProcessWatch(pid);
  const statuses = new Map<number, number>();
  const memory: number[] = [];
  const all = seeds();
  // Enough measurements to tell a warm process from one that grows, also without the corpus.
  const series = Array.from({ length: Math.ceil(leastSeries / all.length) }, () => all).flat();
  for (const { file, forge, headers, payload } of series) {
    const bodies = mutations(payload, swaps);
    const sender = async () => {
      for (const mutation of bodies) {
        const body = bodyOf(mutation);
        const response = await fetch(`${place.url}${hooks.get(forge) ?? ''}`, {
          method: 'POST',
          headers: { ...headers, ...signature(forge, body), 'content-type': 'application/json' },
          body: new Uint8Array(body),
        });
        await response.arrayBuffer();
        const { status } = response;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status >= 500 || (status >= 300 && status < 400)) t.fail(`${status} for ${file}: ${body.toString()}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, sender));
    memory.push(watch.megabytes);
  }
  watch.end();
  t.log(Object.fromEntries(statuses), memory.map(Math.round).join(' '));
  t.true((statuses.get(202) ?? 0) > 100);
  t.true((statuses.get(400) ?? 0) > 10);
  t.true(place.isAlive);
  t.is(place.pid, pid);
  // How much a warm process holds depends on how busy the machine is; what it keeps of each delivery does not.
  const quarter = Math.floor(memory.length / 4);
  const warm = Math.max(...memory.slice(quarter, 2 * quarter));
  const last = Math.min(...memory.slice(-quarter));
  t.true(last < 1.15 * warm, `memory grows with deliveries: ${memory.map(Math.round).join(' ')} MB`);
});

/** A connection that says the beginning of a request and then nothing, or a byte now and then. */
async function dribbling(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  socket.resume().write(text);
  const timer = setInterval(() => socket.write('x'), 1_000);
  socket.once('close', () => clearInterval(timer));
  return socket;
}

test('A3: slow and idle connections hold up nobody, and are given up', async (t) => {
  t.timeout(120_000);
  const { place, commit, hooks } = await setUp(t, ['gitea']);
  const hook = hooks.get('gitea') ?? '';
  const idle = await Promise.all(Array.from({ length: 500 }, () => dribbling(place.url, 'POST / HTTP/1.1\r\nx-')));
  const head = `POST ${hook} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n`;
  const slow = await Promise.all(Array.from({ length: 200 }, () => dribbling(place.url, head)));
  const started = performance.now();
  t.like(await announce(place.url, { hook, secret }, commit), { status: 202 });
  t.true(performance.now() - started < 5_000);
  const watch = new ProcessWatch(place.pid);
  t.true(watch.megabytes < 300);
  while ([...idle, ...slow].some((socket) => !socket.closed)) {
    await sleep(500);
    t.true(place.isAlive);
  }
  watch.end();
  t.like(await announce(place.url, { hook, secret }, commit, { ref: 'refs/heads/other' }), { status: 202 });
});

test('SIGTERM in a burst: what was acknowledged is there, and the server ends', async (t) => {
  // A connection that is kept alive holds it up for 72 seconds.
  t.timeout(40_000);
  const { place, commit, hooks } = await setUp(t, ['gitea']);
  const hook = { hook: hooks.get('gitea') ?? '', secret };
  const sent = Array.from({ length: 200 }, async (_, index) => {
    const answer = await announce(place.url, hook, commit, { ref: `refs/heads/b${index}` }).catch(() => undefined);
    return answer?.status === 202;
  });
  await Promise.race(sent);
  await place.kill('SIGTERM');
  const acknowledged = (await Promise.all(sent)).filter(Boolean).length;
  t.true(acknowledged > 0);
  const { runs } = (await place.sluice('runs', '--limit', '500')) as { readonly runs: readonly unknown[] };
  t.true(runs.length >= acknowledged, `${runs.length} runs of ${acknowledged}`);
});
