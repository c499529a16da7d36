import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { announce, Place } from './served.ts';
import type { Hook } from './served.ts';

const launcher = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
const green = 'pipeline: shop\non: { push: }\nsteps: { unit: { run: echo tested } }\n';

/** A repository that a server has looked at once. */
async function setUp(t: ExecutionContext, yaml: string) {
  const place = await Place.open(t, { SLUICE_POLL_SECONDS: '1' });
  const commit = await place.push(yaml);
  const hook = (await place.sluice(
    ...['repository', 'add', 'shop', '--forge', 'gitea', '--url', join(place.folder, 'shop.git')],
  )) as Hook;
  await place.serve();
  return { place, commit, hook };
}

test('E18: a push that no delivery told of is run, also one while nobody was there, and its late delivery is a duplicate', async (t) => {
  t.timeout(90_000);
  const { place, commit, hook } = await setUp(t, green);
  await sleep(3_000);
  t.deepEqual(await place.runs(), [], 'what was there before the repository was added is nobody’s news');
  const missed = await place.push(`${green}# a change\n`);
  t.like(await place.ended(1), [{ outcome: 'succeeded', commit: missed }]);
  await place.kill();
  const away = await place.push(`${green}# another\n`);
  await place.serve();
  t.like(await place.ended(2), [{ commit: away }, { commit: missed }]);
  const late = await announce(place.url, hook, away, { before: missed });
  t.like(late, { status: 202, body: { deliveries: [{ outcome: 'duplicate' }] } });
  // Nobody was told of `commit`, and a forge may still do it.
  t.like(await announce(place.url, hook, commit), { body: { deliveries: [{ outcome: 'run' }] } });
  const told = await place.push(`${green}# told at once\n`);
  await announce(place.url, hook, told, { before: away });
  await place.ended(4);
  await sleep(3_000);
  t.is((await place.runs()).length, 4);
});

test('R000-1: a schedule of the default branch starts a run at its time, by the pipeline as it is then', async (t) => {
  t.timeout(150_000);
  const nightly = 'pipeline: shop\non: { schedule: [{ cron: "* * * * *" }] }\nsteps: { unit: { run: echo tested } }\n';
  const { place, commit } = await setUp(t, nightly);
  const [run] = await place.ended(1);
  t.like(run, { outcome: 'succeeded', commit });
  const [row] = (await place.runs()) as readonly { readonly event?: string; readonly branch?: string }[];
  t.like(row, { event: 'schedule', branch: 'main' });
});

test('of ten thousand branches, some with strange names, those that moved are run, once, by whichever of two servers', async (t) => {
  t.timeout(180_000);
  const place = await Place.open(t, { SLUICE_POLL_SECONDS: '1' });
  const commit = await place.push(green);
  const bare = join(place.folder, 'shop.git');
  /** All in one transaction of Git. */
  const update = async (lines: readonly string[]) => {
    const git = spawn('git', ['--git-dir', bare, 'update-ref', '--stdin'], { stdio: ['pipe', 'ignore', 'inherit'] });
    git.stdin.end(lines.map((line) => `${line}\n`).join(''));
    t.deepEqual(await once(git, 'exit'), [0, null]);
  };
  const strange = ['-rf', 'ä/ö', '$(id)', "it's", 'a"b', 'x;y', '#1', '%s', 'HEAD'];
  const many = Array.from({ length: 10_000 }, (_, index) => `many/${index}`);
  await update([...strange, ...many].map((name) => `create refs/heads/${name} ${commit}`));
  await place.sluice('repository', 'add', 'shop', '--forge', 'git', '--url', bare);
  await place.serve();
  const other = spawn(process.execPath, [launcher, 'serve', '--listen', '127.0.0.1:0', '--grace', '0'], {
    env: place.environment,
    stdio: 'ignore',
  });
  t.teardown(() => other.kill('SIGKILL'));
  // The first look only remembers; when it is over nobody tells.
  let pushes = 0;
  while ((await place.runs()).length === 0) {
    pushes += 1;
    await place.push(`${green}# ${pushes}\n`);
    await sleep(3_000);
  }
  const before = (await place.ended(1)).length;
  const next = await place.git('rev-parse', 'HEAD');
  const moved = [...strange, 'many/7', 'many/9999'];
  await update([
    ...moved.map((name) => `update refs/heads/${name} ${next}`),
    ...many.slice(100, 200).map((name) => `delete refs/heads/${name}`),
  ]);
  const rows = (await place.ended(before + moved.length)) as readonly { readonly branch?: string }[];
  const branches = rows.map(({ branch }) => branch).filter((branch) => branch !== 'main');
  t.deepEqual(branches.toSorted(), moved.toSorted());
  await sleep(3_000);
  t.is((await place.runs()).length, before + moved.length);
});
