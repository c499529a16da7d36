// What Sluice adds to the commands that it runs: `node e2e/bench/runs.ts`. One run compares all, side by side.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilePipeline } from '../../runner/language/compile-pipeline.ts';
import { parsePipelineFile } from '../../runner/language/parse-file.ts';
import { measureProgram } from './common/measure.ts';
import type { Measured } from './common/measure.ts';

const sluice = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));

function measure(program: string, args: readonly string[], cwd = folder): Promise<Measured> {
  return measureProgram(program, args, { cwd, stdio: 'ignore' });
}

async function median(times: number, action: () => Promise<Measured>): Promise<Measured> {
  const results: Measured[] = [];
  for (let time = 0; time < times; time++) results.push(await action());
  const middle = results.toSorted((a, b) => a.ms - b.ms)[Math.floor(times / 2)];
  if (!middle) throw new Error('nothing was measured');
  return middle;
}

function repositoryWith(name: string, yaml: string): string {
  const repository = join(folder, name);
  mkdirSync(repository);
  writeFileSync(join(repository, 'sluice.yaml'), yaml);
  execFileSync('git', ['init', '-q', repository]);
  return repository;
}

function noOps(count: number): string {
  return `pipeline: noop\nsteps:\n${Array.from({ length: count }, (_, index) => `  s${index}: { run: "true", needs: [] }\n`).join('')}`;
}

/** The same steps for act (https://github.com/nektos/act), which runs jobs on the host when it is told so. */
function workflowRepository(count: number): string {
  const repository = join(folder, 'act');
  const jobs = Array.from(
    { length: count },
    (_, index) => `  s${index}: { runs-on: host, steps: [{ run: "true" }] }\n`,
  );
  mkdirSync(join(repository, '.github/workflows'), { recursive: true });
  writeFileSync(join(repository, '.github/workflows/noop.yaml'), `on: push\njobs:\n${jobs.join('')}`);
  execFileSync('git', ['init', '-q', repository]);
  execFileSync('git', ['-C', repository, 'add', '.']);
  execFileSync('git', [
    '-C',
    repository,
    '-c',
    'user.name=bench',
    '-c',
    'user.email=bench@example.org',
    'commit',
    '-qm',
    'noop',
  ]);
  return repository;
}

function has(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

/** Steps as people write them, in a chain with side branches. */
function typical(count: number): string {
  const step = (index: number): string => `  s${index}:
    needs: [${index === 0 ? '' : `s${Math.floor((index - 1) / 2)}`}]
    if: "branch == 'main' || event == 'pull_request'"
    env: { INDEX: "${index}", BRANCH: "\${{ branch }}" }
    run: |
      npm ci
      npm test
    junit: reports/*.xml
    artifacts: [coverage/**]
    timeout: 10m
    retry: { max: 1, on: [errored] }
`;
  return `pipeline: typical\nsteps:\n${Array.from({ length: count }, (_, index) => step(index)).join('')}`;
}

/** The smallest steps that do something, in a chain with side branches. */
function small(count: number): string {
  const step = (index: number): string =>
    `  s${index}:\n    needs: [${index === 0 ? '' : `s${Math.floor((index - 1) / 2)}`}]\n    run: npm test\n`;
  return `pipeline: small\nsteps:\n${Array.from({ length: count }, (_, index) => step(index)).join('')}`;
}

function compile(text: string): void {
  const file = parsePipelineFile(text, 'sluice.yaml');
  if (!file.ok) throw new Error(file.problems[0]?.message);
  const trigger = {
    event: 'push',
    ref: 'refs/heads/main',
    branch: 'main',
    tag: '',
    commit: '0'.repeat(40),
    actor: 'me',
  } as const;
  const plan = compilePipeline({
    file,
    trigger,
    files: [],
    workflows: { gates: new Map(), files: new Map() },
  });
  if (!plan.ok) throw new Error(plan.problems[0]?.message);
}

const rows: (readonly [what: string, figure: string, remark: string])[] = [];
const ms = (value: number): string => `${value.toFixed(0)} ms`;
const compare = (value: number, base: number): string => `${(value / base).toFixed(2)} x`;

try {
  const home = ['--home', join(folder, 'home')];
  const one = repositoryWith('one', noOps(1));
  rows.push([
    'sluice --version',
    ms((await median(9, () => measure(process.execPath, [sluice, '--version']))).ms),
    'target < 250 ms',
  ]);
  rows.push(['sluice lint', ms((await median(9, () => measure(process.execPath, [sluice, 'lint'], one))).ms), '']);
  rows.push([
    'sluice run, 1 step',
    ms((await median(5, () => measure(process.execPath, [sluice, 'run', ...home], one))).ms),
    '',
  ]);

  for (const [name, text] of Object.entries({ small: small(1_000), typical: typical(1_000) })) {
    const timeOf = (): number => {
      const start = performance.now();
      compile(text);
      return performance.now() - start;
    };
    const cold = timeOf();
    const warm = Array.from({ length: 9 }, timeOf).toSorted((a, b) => a - b)[4] ?? 0;
    const size = `${(text.length / 1024).toFixed(0)} KiB`;
    rows.push([`compile 1,000 ${name} steps, ${size}`, `${ms(cold)} cold, ${ms(warm)} warm`, 'target < 150 ms']);
  }

  const count = 200;
  const many = repositoryWith('many', noOps(count));
  writeFileSync(join(folder, 'noop.sh'), 'true\n');
  const targets = Array.from({ length: count }, (_, index) => `s${index}`).join(' ');
  writeFileSync(join(folder, 'Makefile'), `.PHONY: ${targets}\nall: ${targets}\n${targets}:\n\t@sh -e noop.sh\n`);
  const xargs = await median(3, () => measure('sh', ['-c', `seq ${count} | xargs -P2 -I{} sh -e noop.sh`]));
  const make = await median(3, () => measure('make', ['-s', '-j2', 'all']));
  const own = await median(3, () =>
    measure(process.execPath, [sluice, 'run', '--quiet', '--jobs', '2', ...home], many),
  );
  rows.push([`${count} no-op steps: xargs -P2`, ms(xargs.ms), compare(xargs.ms, make.ms)]);
  rows.push([`${count} no-op steps: make -j2`, ms(make.ms), '1.00 x']);
  const perStep = (own.ms - xargs.ms) / count;
  rows.push([
    `${count} no-op steps: sluice run -j2`,
    ms(own.ms),
    `${compare(own.ms, make.ms)}; ${perStep.toFixed(1)} ms a step over the bare process, target < 15 ms`,
  ]);

  if (has('act')) {
    const peer = workflowRepository(count);
    const act = await measure('act', ['push', '-q', '-P', 'host=-self-hosted', '--concurrent-jobs', '2'], peer);
    rows.push([`${count} no-op jobs: act on the host`, ms(act.ms), compare(act.ms, make.ms)]);
  }

  const thousand = repositoryWith('thousand', noOps(1_000));
  const large = await measure(process.execPath, [sluice, 'run', '--quiet', '--jobs', '2', ...home], thousand);
  rows.push([
    '1,000 no-op steps: sluice run -j2',
    ms(large.ms),
    `${large.peak.toFixed(0)} MB at most, target < 200 MB`,
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

for (const [what, figure, remark] of rows) console.log(`${what.padEnd(42)} ${figure.padStart(26)}  ${remark}`);
