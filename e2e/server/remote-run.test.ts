import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { Place } from './served.ts';

const launcher = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
const green = 'pipeline: shop\nsteps: { unit: { run: echo tested } }\n';

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A server that knows `shop`, and `sluice run --server` at it, in a data folder of its own. */
async function setUp(t: ExecutionContext, yaml = green) {
  const place = await Place.open(t);
  const commit = await place.push(yaml);
  await place.sluice('repository', 'add', 'shop', '--forge', 'git', '--url', join(place.folder, 'shop.git'));
  const args = ['token', 'create', '--name', 'ada', '--role', 'developer', '--repository', 'shop'];
  const { secret } = (await place.sluice(...args)) as { readonly secret: string };
  const tokenFile = join(place.folder, 'token');
  await writeFile(tokenFile, `${secret}\n`);
  await place.serve();
  const begin = (url: string, ...words: readonly string[]) => {
    const options = ['run', '--server', url, '--token-file', tokenFile, ...words];
    const child = spawn(process.execPath, [launcher, ...options], {
      cwd: join(place.folder, 'work'),
      env: { ...place.environment, SLUICE_HOME: join(place.folder, 'other-home') },
    });
    t.teardown(() => child.kill('SIGKILL'));
    const said = async (): Promise<Said> => {
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      return { code: child.exitCode, out, err };
    };
    return { child, said: said() };
  };
  const run = (...words: readonly string[]) => begin(place.url, '--repository', 'shop', ...words).said;
  return { place, commit, tokenFile, begin, run };
}

test('a commit and a test command run at a server, with log and result, and the exit code of a local run', async (t) => {
  const { run, commit, place } = await setUp(t);
  const { code, out, err } = await run(
    '--commit',
    commit,
    '--command',
    'echo "hello from $(cat sluice.yaml | head -1)"',
  );
  t.is(code, 0, out + err);
  t.regex(
    out,
    /^run \S+ at http:.*\n> command {2}started\ncommand │ hello from pipeline: shop\n✓ command {2}succeeded\n/,
  );
  t.regex(out, /succeeded after/);

  const red = await run('--commit', commit, '--command', 'echo oh; exit 7');
  t.is(red.code, 1);
  t.regex(red.out, /command │ oh\n[^]*exit_code|exit code 7/);

  // Without a commit it is the one that is checked out, with the pipeline that it has.
  await writeFile(join(place.folder, 'work', 'new.txt'), 'new');
  const here = await run();
  t.is(here.code, 0, here.err);
  t.regex(here.out, /unit │ tested/);
  t.regex(here.err, /not committed are not part of the run/);
  const low = await run('--commit', commit, '--command', 'true', '--priority', '-5');
  t.is(low.code, 0, low.err);
  const rows = await place.runs();
  t.deepEqual(
    rows.map(({ priority }) => priority),
    [-5, 0, 0, 0],
  );
  t.deepEqual([...new Set(rows.map((row) => row.commit))], [commit]);
});

test('what does not begin has the exit code that it would have here, and says what to do', async (t) => {
  const { run, begin, commit, tokenFile, place } = await setUp(t, 'pipeline: shop\nsteps: { unit: { rum: x } }\n');
  const wrong = await run('--commit', commit);
  t.is(wrong.code, 2, wrong.out + wrong.err);
  t.regex(wrong.out, /sluice\.yaml:2:18[^]*Did you mean `run`/);
  const unknown = await begin(place.url, '--repository', 'bank', '--commit', commit).said;
  t.deepEqual([unknown.code, unknown.out], [2, '']);
  t.regex(unknown.err, /may not see it/);
  const noCommit = await run('--commit', 'no-such-branch');
  t.is(noCommit.code, 2);
  t.regex(noCommit.err, /no such branch or tag/);

  const high = await run('--commit', commit, '--priority', '1');
  t.is(high.code, 3);
  t.regex(high.err, /may not give a run a priority above 0[^]*role maintainer/);
  const tooHigh = await run('--commit', commit, '--priority', '101');
  t.is(tooHigh.code, 2);
  t.regex(tooHigh.err, /Give a whole number from -100 to 100/);

  const away = await begin('http://127.0.0.1:1', '--repository', 'shop', '--commit', commit).said;
  t.is(away.code, 3);
  t.regex(away.err, /127\.0\.0\.1:1 does not answer[^]*sluice serve/);
  await writeFile(tokenFile, 'sluice_wrong');
  const stranger = await run('--commit', commit);
  t.is(stranger.code, 3);
  t.regex(stranger.err, /token is not good[^]*sluice token create/);
  const noFile = await begin(place.url, '--token-file', '/nowhere/token').said;
  t.is(noFile.code, 3);
  t.regex(noFile.err, /--token-file cannot be read: ENOENT[^]*\n {2}Name a file/);
  const alone = await place.text('run', '--command', 'true').then(
    () => '',
    (error: unknown) => String((error as { readonly stderr?: string }).stderr),
  );
  t.regex(alone, /'--command' says something to --server only/);
});

test('F-28: a lost connection is made anew: one run, every line of the log once, the exit code of its end', async (t) => {
  const { place, commit, begin } = await setUp(t);
  const proxy = await TcpProxy.open('127.0.0.1', Number(new URL(place.url).port));
  t.teardown(() => proxy.close());
  const command = 'i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo "line $i ä"; sleep 0.1; done; exit 5';
  const words = ['--repository', 'shop', '--commit', commit, '--command', command];
  const { child, said } = begin(`http://127.0.0.1:${proxy.port}`, ...words);
  await once(child.stdout, 'data');
  for (const pause of [1_000, 1_500]) {
    await sleep(pause);
    proxy.set('refuse');
    await sleep(700);
    proxy.set('pass');
  }
  const { code, out, err } = await said;
  t.is(code, 1, err);
  const lines = [...out.matchAll(/^command │ line (\d+) ä$/gm)].map(([, number]) => Number(number));
  t.deepEqual(
    lines,
    Array.from({ length: 60 }, (_, index) => index + 1),
  );
  t.regex(err, /was lost[^]*was lost/);
  t.is((await place.runs()).length, 1);
});

test('a server that is killed in the middle of a run is found again: the run is told to its end, and no second one begins', async (t) => {
  const { place, commit, begin } = await setUp(t);
  const proxy = await TcpProxy.open('127.0.0.1', Number(new URL(place.url).port));
  t.teardown(() => proxy.close());
  const words = ['--repository', 'shop', '--commit', commit, '--command', 'echo up; sleep 60'];
  const { child, said } = begin(`http://127.0.0.1:${proxy.port}`, ...words);
  let told = '';
  child.stdout.on('data', (data: Buffer) => (told += data.toString()));
  while (!told.includes('│ up')) await sleep(50);
  await place.kill();
  await place.serve();
  proxy.aim(Number(new URL(place.url).port));
  const { code, out, err } = await said;
  t.is(code, 3, err);
  t.is(out.match(/│ up/g)?.length, 1);
  t.regex(out, /errored[^]*runner/);
  t.regex(err, /was lost: .*\. Trying again\./);
  t.like(await place.runs(), [{ outcome: 'errored', reason: 'runner_lost' }]);
  t.is((await place.runs()).length, 1);
});

test('a token that is revoked in the middle of a run ends the following, not the run; Ctrl-C twice leaves it to the server', async (t) => {
  const { place, commit, begin } = await setUp(t);
  const done = join(place.folder, 'done');
  const command = `echo up; trap "" TERM INT; until [ -e ${done} ]; do sleep 0.1; done`;
  const words = ['--repository', 'shop', '--commit', commit, '--command', command];
  const start = async () => {
    const { child, said } = begin(place.url, ...words);
    let told = '';
    child.stdout.on('data', (data: Buffer) => (told += data.toString()));
    while (!told.includes('│ up')) await sleep(50);
    return { child, said };
  };
  const { child, said } = await start();
  child.kill('SIGINT');
  await sleep(700);
  child.kill('SIGINT');
  t.like(await said, { code: 130, err: 'Cancelling; Ctrl-C again leaves it to the server.\n' });

  const other = await start();
  const { tokens } = (await place.sluice('token', 'list')) as { readonly tokens: readonly { readonly id: string }[] };
  for (const { id } of tokens) await place.sluice('token', 'revoke', id);
  const { code, err } = await other.said;
  await writeFile(done, '');
  t.is(code, 3);
  t.regex(err, /token is not good.*\n {2}Run \S+ goes on without you\. `sluice token create/);
  t.deepEqual(
    (await place.ended(2)).map(({ outcome }) => outcome),
    ['succeeded', 'cancelled'],
  );
});

test('what the server cannot fetch, does not know or does not allow is told with its reason and the next step', async (t) => {
  const { place, begin, run, tokenFile } = await setUp(t);
  const unknown = await begin(place.url).said;
  t.is(unknown.code, 2);
  t.regex(unknown.err, /knows no repository "work", or this token may not see it.*\n.*--repository/);
  await place.git('commit', '-q', '--allow-empty', '-m', 'kept here');
  const unpushed = await run();
  t.is(unpushed.code, 3);
  t.regex(unpushed.out, /cannot be fetched from/);
  await place.git('checkout', '-q', '--detach', 'HEAD~1');
  t.is((await run()).code, 0, 'a commit needs no branch');
  await place.git('checkout', '-q', '--orphan', 'empty');
  const empty = await run();
  t.is(empty.code, 2);
  t.regex(empty.err, /has no commit yet\n {2}Make one and push it/);
  for (const [words, why] of [
    [['--role', 'viewer'], /may not do that/],
    [['--role', 'developer', '--expires', '1s'], /expired or revoked.*\n {2}`sluice token create/],
  ] as const) {
    const { secret } = (await place.sluice('token', 'create', ...words)) as { readonly secret: string };
    await writeFile(tokenFile, secret);
    await sleep(1_000);
    const refused = await run('--commit', 'main');
    t.is(refused.code, 3);
    t.regex(refused.err, why);
  }
});

test('Ctrl-C cancels the run at the server; programs get the lines that a local run prints', async (t) => {
  const { place, commit, begin } = await setUp(t);
  const words = ['--json', '--repository', 'shop', '--commit', commit, '--command', 'echo up; sleep 60'];
  const { child, said } = begin(place.url, ...words);
  let told = '';
  child.stdout.on('data', (data: Buffer) => (told += data.toString()));
  while (!told.includes('"attempt-started"')) await sleep(50);
  child.kill('SIGINT');
  const { code, out } = await said;
  t.is(code, 130);
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly kind: string; readonly report?: object });
  t.true(lines.slice(0, -1).every(({ kind }) => kind === 'event'));
  t.like(lines.at(-1), { kind: 'report', report: { outcome: 'cancelled' } });
  t.like(await place.ended(1), [{ outcome: 'cancelled' }]);
});
