import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { announce, Place } from './served.ts';
import type { Hook } from './served.ts';

const green = 'pipeline: shop\non: { push: { branches: [main] } }\nsteps: { unit: { run: echo tested } }\n';

async function setUp(t: ExecutionContext, yaml: string) {
  const place = await Place.open(t);
  const commit = await place.push(yaml);
  const url = join(place.folder, 'shop.git');
  const hook = (await place.sluice('repository', 'add', 'shop', '--forge', 'gitea', '--url', url)) as Hook;
  await place.serve();
  return { place, commit, hook };
}

test('R000-3, R001-3: a push that a forge announces is run, once however often it is announced', async (t) => {
  const { place, commit, hook } = await setUp(t, green);
  const first = await announce(place.url, hook, commit, { delivery: 'one' });
  t.like(first, { status: 202, body: { deliveries: [{ outcome: 'run' }] } });
  t.deepEqual(await announce(place.url, hook, commit, { delivery: 'one' }), first);
  t.like(await announce(place.url, hook, commit, { delivery: 'two' }), {
    body: { deliveries: [{ outcome: 'duplicate' }] },
  });
  const burst = Array.from({ length: 30 }, (_, index) =>
    announce(place.url, hook, commit, { delivery: `b${index % 20}` }),
  );
  for (const { status } of await Promise.all(burst)) t.is(status, 202);
  t.like(await place.ended(1), [{ outcome: 'succeeded', commit }]);
  t.is((await place.runs()).length, 1);
});

test('a server whose key does not open the secrets of a repository does not start, and one that runs says so', async (t) => {
  const { place, commit, hook } = await setUp(t, green);
  const key = join(place.folder, 'home', 'secret.key');
  await rename(key, `${key}.old`);
  const bank = (await place.sluice(
    ...['repository', 'add', 'bank', '--forge', 'gitea', '--url', join(place.folder, 'shop.git')],
  )) as Hook;
  t.like(await announce(place.url, bank, commit), { status: 503, body: { code: 'unavailable' } });
  t.regex(await place.log(), /secrets of repository \S+ cannot be opened with the key at hand/);
  t.is((await announce(place.url, hook, commit)).status, 202);
  await place.kill();
  const refused = await t.throwsAsync(place.text('serve', '--listen', '127.0.0.1:0'));
  t.like(refused, { code: 3 });
  t.regex(refused.message, /secret\.key of the data folder does not open the secrets of shop\./);
});

test('R001-27: what is not signed with the secret of the hook leaves no trace', async (t) => {
  const { place, commit, hook } = await setUp(t, green);
  await announce(place.url, hook, commit);
  await place.ended(1);
  const database = () => readFile(join(place.folder, 'home', 'sluice.db-wal'));
  const before = await database();
  const wrong = await announce(place.url, hook, commit, { secret: 'guessed' });
  const unknown = await announce(place.url, { ...hook, hook: '/hooks/nope' }, commit);
  const foreign = await announce(place.url, hook, commit, { repositoryId: 8, before: '1'.repeat(40) });
  t.deepEqual([wrong.status, unknown.status, foreign.status], [401, 401, 401]);
  t.deepEqual(wrong.body, unknown.body);
  t.deepEqual(wrong.body, foreign.body);
  t.deepEqual(await database(), before);
  const broken = await fetch(`${place.url}${hook.hook}`, { method: 'POST', body: 'x'.repeat(26 * 1024 * 1024) }).catch(
    () => ({ status: 413 }),
  );
  t.is(broken.status, 413);
});

test('R000-21: a push that was accepted is run after kill -9, and a run that was lost says so', async (t) => {
  const slow = 'pipeline: shop\non: { push: }\nsteps: { unit: { run: sleep 30 } }\n';
  const { place, commit, hook } = await setUp(t, slow);
  await announce(place.url, hook, commit);
  while ((await place.runs())[0]?.phase !== 'running') await sleep(100);
  const next = await place.push(green);
  const accepted = announce(place.url, hook, next, { delivery: 'last' });
  t.is((await accepted).status, 202);
  await place.kill();
  await place.serve();
  const runs = await place.ended(2);
  t.deepEqual(
    runs.map(({ outcome, reason }) => reason ?? outcome),
    ['succeeded', 'runner_lost'],
  );
  t.like(await announce(place.url, hook, next, { delivery: 'last' }), {
    status: 202,
    body: { deliveries: [{ outcome: 'run' }] },
  });
  t.is((await place.runs()).length, 2);
});

test('a server that is asked to stop ends what runs on this machine, and keeps what is queued', async (t) => {
  const slow = 'pipeline: shop\non: { push: }\nsteps: { unit: { run: sleep 60 } }\n';
  const { place, commit, hook } = await setUp(t, slow);
  await announce(place.url, hook, commit);
  while ((await place.runs())[0]?.phase !== 'running') await sleep(100);
  await place.kill('SIGTERM');
  t.like(await place.runs(), [{ phase: 'finished', outcome: 'cancelled' }]);
});

test('R000-2: whoever looks at a run whose file has mistakes sees each with its place and what to write instead', async (t) => {
  const { place, commit, hook } = await setUp(t, 'pipeline: shop\non: { push: }\nsteps: { unit: { rum: echo } }\n');
  await announce(place.url, hook, commit);
  const [run] = await place.ended(1);
  t.like(run, { outcome: 'failed', reason: 'pipeline_invalid' });
  const report = await place.sluice('show', run?.runId ?? '');
  const { problems } = report as { readonly problems: readonly unknown[] };
  t.like(problems[0], { code: 'unknown-key', file: 'sluice.yaml', line: 3, column: 18 });
  t.regex(await place.text('show', run?.runId ?? ''), /steps: \{ unit: \{ rum: echo \} \}[\s\S]*`run`/);
});
