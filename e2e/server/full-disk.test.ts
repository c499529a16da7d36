import { execFile, execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { announce, Place } from './served.ts';
import type { Hook } from './served.ts';

const yaml = 'pipeline: shop\non: { push: }\nsteps: { unit: { run: echo tested } }\n';

/** Only root may mount, and not in every container. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A data folder on a disk of 32 MB. */
async function setUp(t: ExecutionContext) {
  const place = await Place.open(t, { SLUICE_RUNS: '0', SLUICE_POLL_SECONDS: '0' });
  const home = join(place.folder, 'home');
  await mkdir(home);
  await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', home]);
  t.teardown(async () => {
    await place.kill();
    await promisify(execFile)('umount', [home]);
  });
  const commit = await place.push(yaml);
  const url = join(place.folder, 'shop.git');
  const hook = (await place.sluice('repository', 'add', 'shop', '--forge', 'gitea', '--url', url)) as Hook;
  await place.serve();
  return { place, home, commit, hook };
}

const onDisk = canMount() ? test : test.skip;

onDisk(
  'F-26: a full disk is answered with 503 until there is space, and what was acknowledged before and after is there',
  async (t) => {
    t.timeout(120_000);
    const { place, home, commit, hook } = await setUp(t);
    const send = (ref: string) => announce(place.url, hook, commit, { ref: `refs/heads/${ref}`, delivery: ref });
    t.is((await send('before')).status, 202);
    const { bavail, bsize } = statfsSync(home);
    await writeFile(join(home, 'ballast'), Buffer.alloc(bavail * bsize));
    const statuses: number[] = [];
    for (let count = 0; count < 20; count++) statuses.push((await send(`full-${count}`)).status);
    t.deepEqual(new Set(statuses), new Set([503]));
    t.true((await fetch(`${place.url}/healthz`)).ok, 'it is no reason to start the server anew');
    await rm(join(home, 'ballast'));
    t.is((await send('full-0')).status, 202);
    t.is((await send('after')).status, 202);
    const { pid } = place;
    t.true(place.isAlive && pid > 0);
    await place.kill();
    const { runs } = (await place.sluice('runs')) as { readonly runs: readonly { readonly branch: string }[] };
    t.deepEqual(runs.map(({ branch }) => branch).toSorted(), ['after', 'before', 'full-0']);
  },
);
