import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { freshNamespace, imageOf } from '../cluster/test-cluster.ts';
import { ProcessWatch } from '../process-watch.ts';

const sluice = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));

export interface RunReport {
  readonly outcome?: string;
  readonly steps: readonly {
    readonly id: string;
    readonly outcome?: string;
    readonly reason?: string;
    readonly artifacts?: number;
    readonly attempts: readonly {
      readonly exitCode?: number;
      readonly log?: { readonly bytes: number; readonly sha256: string; readonly complete: boolean };
    }[];
  }[];
}

export interface FinishedRun {
  readonly report: RunReport;
  /** Of the installation that ran it. */
  readonly home: string;
  /** Largest resident memory of the runner and of any of its agents, bytes; agents are seen on a node that is this machine. */
  readonly runnerPeak: number;
  readonly agentPeak: number;
}

/** Runs a pipeline file by the command line on the cluster, in a namespace and an installation of its own. */
export async function runPipeline(
  t: ExecutionContext,
  steps: string,
  whileRunning: (namespace: string) => unknown = () => undefined,
): Promise<FinishedRun> {
  const home = mkdtempSync(join(tmpdir(), 'sluice-heavy-'));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const repository = join(home, 'repository');
  execFileSync('git', ['init', '-q', repository]);
  writeFileSync(join(repository, 'sluice.yaml'), `pipeline: heavy\nruntime: ${imageOf('busybox')}\nsteps:\n${steps}`);
  const namespace = await freshNamespace(t, 'heavy');
  const env = {
    ...process.env,
    SLUICE_HOME: join(home, 'installation'),
    SLUICE_EXECUTOR: 'kubernetes',
    SLUICE_NAMESPACE: namespace,
    SLUICE_AGENT_IMAGE: imageOf('agent'),
  };
  const args = [sluice, 'run', repository, '--json', '--jobs', '4'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const watch = new ProcessWatch(child.pid ?? 0);
  const output = text(child.stdout);
  const ended = new AbortController();
  void output.finally(() => ended.abort());
  let agentPeak = 0;
  try {
    while (!ended.signal.aborted) {
      agentPeak = Math.max(agentPeak, agentMemory(namespace));
      whileRunning(namespace);
      await sleep(300);
    }
  } finally {
    child.kill('SIGKILL');
    watch.end();
  }
  const lines = (await output).trim().split('\n');
  const { report } = JSON.parse(lines.at(-1) ?? '{}') as { readonly report?: RunReport };
  if (report === undefined) throw new Error(`no report in ${lines.join('\n')}`);
  return { report, home: env.SLUICE_HOME, agentPeak, runnerPeak: watch.end().peakMegabytes * 1024 ** 2 };
}

/** Peak resident memory of the agents of a namespace's pods, as far as their processes are on this machine; bytes. */
function agentMemory(namespace: string): number {
  const pods = readdirSync('/var/log/pods').filter((name) => name.startsWith(`${namespace}_`));
  const jobs = pods.map((name) => name.split('_')[1]?.replace(/-[^-]+$/, '') ?? '');
  const peaks = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/agent/main.mjs')) return 0;
        const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        if (!jobs.some((job) => variables.includes(`SLUICE_JOB=${job}`))) return 0;
        return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
      } catch {
        return 0; // It has ended meanwhile.
      }
    });
  return Math.max(0, ...peaks);
}
