/**
 * An app of 60 MB on a Node image, pushed to the registry of the test cluster: `sluice image append` against `buildah bud`
 * and `buildah push`, in turn, each a process of its own. One file is another in each round, so that nothing but the base is
 * there already. `npm run bench`, or with a cluster in the environment `node e2e/bench/images.ts`.
 */
import { randomBytes } from 'node:crypto';
import { copyFileSync, globSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureProgram, median } from './common/measure.ts';
import type { Measured } from './common/measure.ts';

const { E2E_IMAGES, BENCH_ROUNDS } = process.env;
const images = JSON.parse(E2E_IMAGES ?? '{}') as Readonly<Record<string, string>>;
const rounds = Number(BENCH_ROUNDS ?? 7);
const appBytes = 60_000_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const sluice = join(root, 'runner/launch/sluice.js');

interface Round {
  readonly append: Measured;
  /** The same once more, with nothing to send. */
  readonly again: Measured;
  readonly bud: Measured;
  readonly push: Measured;
}

/** Packages of this repository, as many as 60 MB have. */
function makeApp(folder: string): number {
  let bytes = 0;
  let files = 0;
  for (const path of globSync('node_modules/**/*.{js,ts,json,md,mjs,cjs}', { cwd: root }).toSorted()) {
    const { size } = statSync(join(root, path));
    if (bytes + size > appBytes || !statSync(join(root, path)).isFile()) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(join(root, path), join(folder, path));
    bytes += size;
    files += 1;
  }
  console.log(
    `${files} files, ${(bytes / 1e6).toFixed(0)} MB, ${rounds} rounds, load ${loadavg()[0]?.toFixed(1) ?? ''}`,
  );
  return files;
}

function measure(program: string, args: readonly string[]): Promise<Measured> {
  return measureProgram(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function compareOnce(folder: string, base: string, repository: string): Promise<Round> {
  const app = join(folder, 'app');
  writeFileSync(join(app, 'server.js'), `// ${randomBytes(16).toString('hex')}`);
  const into = ['--base', base, '--into', `${repository}/sluice:v1`, '--start', 'node server.js'];
  const append = ['image', 'append', '--from', app, ...into, '--no-provenance', '--json'];
  const image = `${repository}/buildah:v1`;
  const build = [
    'bud',
    '--quiet',
    '--isolation',
    'chroot',
    '--tls-verify=false',
    '--file',
    join(folder, 'Containerfile'),
  ];
  const round = {
    append: await measure(process.execPath, [sluice, ...append]),
    again: await measure(process.execPath, [sluice, ...append]),
    bud: await measure('buildah', [...build, '--tag', image, app]),
    push: await measure('buildah', ['push', '--quiet', '--tls-verify=false', image]),
  };
  await measure('buildah', ['rmi', '--force', image]);
  return round;
}

function report(results: readonly Round[]): void {
  const timeOf = (choose: (round: Round) => number): number => median(results.map(choose));
  const seconds = (value: number): string => `${(value / 1_000).toFixed(2)} s`.padStart(8);
  const rival = (round: Round): number => round.bud.ms + round.push.ms;
  const ratio = (choose: (round: Round) => number): string =>
    median(results.map((round) => choose(round) / rival(round)))
      .toFixed(2)
      .padStart(6);
  const peak = Math.max(...results.map((round) => round.append.peak)).toFixed(0);
  console.log(
    `sluice image append          ${seconds(timeOf((r) => r.append.ms))} ${ratio((r) => r.append.ms)}  ${peak} MB at most; target < 2 s`,
  );
  console.log(`the same, nothing to send    ${seconds(timeOf((r) => r.again.ms))} ${ratio((r) => r.again.ms)}`);
  console.log(`buildah bud                  ${seconds(timeOf((r) => r.bud.ms))} ${ratio((r) => r.bud.ms)}`);
  console.log(`buildah push                 ${seconds(timeOf((r) => r.push.ms))} ${ratio((r) => r.push.ms)}`);
  console.log(`buildah bud and push         ${seconds(timeOf(rival))} ${ratio(rival)}`);
}

async function main(): Promise<void> {
  const base = images['node-24'];
  if (base === undefined) {
    console.log('There is no cluster: node e2e/cluster/with-cluster.ts node e2e/bench/images.ts brings one.');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const repository = `${base.split('/')[0] ?? ''}/bench`;
  try {
    makeApp(join(folder, 'app'));
    writeFileSync(
      join(folder, 'Containerfile'),
      `FROM ${base}\nWORKDIR /app\nCOPY . /app\nCMD ["node", "server.js"]\n`,
    );
    await compareOnce(folder, base, repository);
    const results: Round[] = [];
    for (let round = 0; round < rounds; round += 1) results.push(await compareOnce(folder, base, repository));
    report(results);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
