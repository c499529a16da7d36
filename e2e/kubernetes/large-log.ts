import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { runPipeline } from './pipeline-run.ts';
import type { FinishedRun, RunReport } from './pipeline-run.ts';

const mebibyte = 1024 ** 2;
const line = 'the quick brown fox jumps over the lazy dog 0123456789\n';
const bytes = 200_000_000;

/** A step that prints 200 MB as fast as it can: all of it is stored, and the kubelet rotated its own log of them meanwhile. */
export async function runLargeLog(t: ExecutionContext): Promise<FinishedRun> {
  let files = 0;
  // The kubelet looks every few seconds whether a log has become too large.
  const run = await runPipeline(
    t,
    `  log:\n    run: |\n      yes '${line.trim()}' | head -c ${bytes}\n      sleep 15\n`,
    (namespace) => (files = Math.max(files, rotatedFiles(namespace))),
  );
  const { outcome, attempts } = only(run.report);
  const expected = createHash('sha256').update(line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes));
  t.is(outcome, 'succeeded');
  t.like(attempts[0]?.log, { bytes, complete: true, sha256: expected.digest('hex') });
  t.true(files > 1);
  return run;
}

/** Whatever passes through them, it does not stay in them. An agent's container is killed at 256 MiB. */
export function isBounded(t: ExecutionContext, { runnerPeak, agentPeak }: FinishedRun): void {
  t.log(`runner ${(runnerPeak / mebibyte).toFixed(0)} MiB, agent ${(agentPeak / mebibyte).toFixed(0)} MiB at most`);
  t.true(runnerPeak < 224 * mebibyte);
  t.true(agentPeak > 0 && agentPeak < 128 * mebibyte);
}

export function only(report: RunReport): RunReport['steps'][number] {
  const [step] = report.steps;
  if (step === undefined || report.steps.length > 1) throw new Error(JSON.stringify(report));
  return step;
}

/** Files of the kubelet's log of an agent of that namespace, on a node that is this machine. */
function rotatedFiles(namespace: string): number {
  const folder = '/var/log/pods';
  const pods = readdirSync(folder).filter((name) => name.startsWith(`${namespace}_`));
  return Math.max(
    0,
    ...pods.map(
      (name) =>
        readdirSync(join(folder, name), { recursive: true }).filter((path) => String(path).includes('agent/')).length,
    ),
  );
}
