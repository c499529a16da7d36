import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ProcessWatch } from '../../process-watch.ts';

const sluice = fileURLToPath(new URL('../../../runner/launch/sluice.js', import.meta.url));

export interface SluiceRun {
  /** From run accepted to run succeeded, ms. */
  readonly ms: number;
  /** From the start of the process to its end, ms. */
  readonly wallMs: number;
  readonly peakMegabytes: number;
  readonly cpuMs: number;
}

interface Told {
  readonly event?: { readonly type: string };
  readonly report?: Report;
}

export interface Report {
  readonly outcome?: string;
  readonly createdAt: number;
  readonly finishedAt?: number;
  readonly steps: readonly {
    readonly artifacts: number;
    readonly attempts: readonly {
      readonly outcome?: string;
      readonly exitCode?: number;
      readonly log?: { readonly complete: boolean; readonly bytes: number };
    }[];
  }[];
}

/** A repository of its own with that pipeline file, below `folder`. */
export function repositoryWith(folder: string, pipeline: string): string {
  const repository = mkdtempSync(join(folder, 'repository-'));
  writeFileSync(join(repository, 'sluice.yaml'), pipeline);
  execFileSync('git', ['init', '-q', repository]);
  return repository;
}

export interface RunOptions {
  readonly repository: string;
  readonly jobs?: number;
  readonly env: NodeJS.ProcessEnv;
  /** Called at each event of the run, by its type. */
  readonly onEvent?: (type: string, watch: ProcessWatch, child: { kill(signal: 'SIGINT'): unknown }) => void;
}

/** From run accepted to run succeeded, ms. Throws unless every step is green by the kubelet's exit code, log and artefact sealed. */
export function provenMs(report: Report): number {
  const { finishedAt = NaN, createdAt, outcome, steps } = report;
  const isProven = steps.every(
    ({ artifacts, attempts: [attempt] }) =>
      attempt?.outcome === 'succeeded' && attempt.exitCode === 0 && attempt.log?.complete === true && artifacts === 1,
  );
  if (outcome !== 'succeeded' || !isProven) throw new Error(`a run was not proven: ${JSON.stringify(report)}`);
  return finishedAt - createdAt;
}

/** Runs `sluice run` once to its good end, and answers what it cost. */
export async function measureSluice(options: RunOptions): Promise<SluiceRun> {
  const { report, ...cost } = await runSluice(options);
  return { ms: provenMs(report), ...cost };
}

/** Runs `sluice run` to whatever end. */
export async function runSluice({
  repository,
  jobs = 20,
  env,
  onEvent,
}: RunOptions): Promise<Omit<SluiceRun, 'ms'> & { readonly report: Report }> {
  const start = performance.now();
  const args = [sluice, 'run', repository, '--json', '--jobs', String(jobs)];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const watch = new ProcessWatch(child.pid ?? 0);
  let report: Report | undefined;
  const ended = new Promise((resolve) => child.once('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as Told;
    if (told.event) onEvent?.(told.event.type, watch, child);
    report = told.report ?? report;
  }
  await ended;
  if (report === undefined) throw new Error('the run gave no report');
  return { report, wallMs: performance.now() - start, ...watch.end() };
}
