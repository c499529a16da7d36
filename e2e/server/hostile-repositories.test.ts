import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ProcessWatch } from '../process-watch.ts';
import { announce, Place } from './served.ts';
import type { Hook, RunRow } from './served.ts';

const green = 'pipeline: shop\non: { push: }\nsteps: { unit: { run: echo tested } }\n';

interface Entry {
  readonly path: string;
  readonly mode?: '100644' | '120000';
  readonly content: string | Buffer;
}

async function setUp(t: ExecutionContext) {
  const place = await Place.open(t, { SLUICE_POLL_SECONDS: '0' });
  await place.push(green);
  const url = join(place.folder, 'shop.git');
  const hook = (await place.sluice('repository', 'add', 'shop', '--forge', 'gitea', '--url', url)) as Hook;
  await place.serve();
  return { place, hook };
}

/** Commits files to a branch of its own, without a working tree; answers the commit. */
async function commitTo(place: Place, branch: string, entries: Iterable<Entry>): Promise<string> {
  const git = spawn('git', ['--git-dir', join(place.folder, 'shop.git'), 'fast-import', '--quiet'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const exited = once(git, 'exit');
  git.stdin.write(`commit refs/heads/${branch}\ncommitter ada <ada@example.com> 1700000000 +0000\ndata 1\nx\n`);
  for (const { path, mode = '100644', content } of entries) {
    git.stdin.write(`M ${mode} inline ${path}\ndata ${Buffer.byteLength(content)}\n`);
    git.stdin.write(content);
    if (!git.stdin.write('\n')) await once(git.stdin, 'drain');
  }
  git.stdin.end('\n');
  const [code] = (await exited) as [number];
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
  return place.git('--git-dir', join(place.folder, 'shop.git'), 'rev-parse', `refs/heads/${branch}`);
}

async function run(place: Place, hook: Hook, branch: string, entries: Iterable<Entry>): Promise<RunRow> {
  const commit = await commitTo(place, branch, entries);
  const { status } = await announce(place.url, hook, commit, { ref: `refs/heads/${branch}` });
  if (status !== 202) throw new Error(`The push was answered with ${status}.`);
  for (;;) {
    const row = (await place.runs()).find((one) => one.commit === commit && one.phase === 'finished');
    if (row) return row;
    await sleep(300);
  }
}

/** Nine levels of nine aliases each: a billion values. */
function aliasBomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const items = Array.from({ length: 9 }, () => (level === 0 ? 'x' : `*a${level - 1}`));
    return `a${level}: &a${level} [${items.join(', ')}]`;
  });
  return `pipeline: bomb\n${levels.join('\n')}\nsteps: { unit: { run: echo } }\n`;
}

function* manyFiles(count: number): Generator<Entry> {
  yield { path: 'sluice.yaml', content: green };
  for (let index = 0; index < count; index++) yield { path: `d${index % 317}/file-${index}`, content: '' };
}

const hostile: readonly {
  readonly what: string;
  readonly entries: () => Iterable<Entry>;
  readonly end: Partial<RunRow>;
}[] = [
  {
    what: 'a pipeline file of 60 MB',
    entries: () => [{ path: 'sluice.yaml', content: Buffer.alloc(60_000_000, '# nothing\n') }],
    end: { outcome: 'failed', reason: 'pipeline_invalid' },
  },
  {
    what: 'a pipeline file whose aliases name a billion values',
    entries: () => [{ path: 'sluice.yaml', content: aliasBomb() }],
    end: { outcome: 'failed', reason: 'pipeline_invalid' },
  },
  {
    what: 'a pipeline file that links to a file of the server',
    entries: () => [{ path: 'sluice.yaml', mode: '120000', content: '/etc/passwd' }],
    end: { outcome: 'failed', reason: 'pipeline_invalid' },
  },
  {
    what: 'a pipeline file that is no text',
    entries: () => [{ path: 'sluice.yaml', content: Buffer.from([0xff, 0xfe, 0, 1, 2, 0x80]) }],
    end: { outcome: 'failed', reason: 'pipeline_invalid' },
  },
  { what: '100,000 files', entries: () => manyFiles(100_000), end: { outcome: 'succeeded' } },
  {
    what: 'a file of 300 MB',
    entries: () => [
      { path: 'sluice.yaml', content: green },
      { path: 'large', content: Buffer.alloc(300_000_000) },
    ],
    end: { outcome: 'succeeded' },
  },
];

test('A3, A4: whatever a repository holds, its runs end, the server stays, and the next push is run', async (t) => {
  t.timeout(400_000);
  const { place, hook } = await setUp(t);
  const { pid } = place;
  for (const [index, { what, entries, end }] of hostile.entries()) {
    const watch = new ProcessWatch(pid);
    t.like(await run(place, hook, `hostile-${index}`, entries()), end, what);
    const { peakMegabytes } = watch.end();
    t.log(what, Math.round(peakMegabytes), 'MB at most');
    t.true(peakMegabytes < 600, what);
    t.true(place.isAlive, what);
    t.is(place.pid, pid, what);
  }
  t.like(await run(place, hook, 'good', [{ path: 'sluice.yaml', content: green }]), { outcome: 'succeeded' });
});
