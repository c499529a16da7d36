import type { AttemptOutcome } from '../executors/executor.ts';
import type { ArtifactEntry, AttemptKey, TestCase } from '../model/result.ts';
import type { RunStep } from '../model/plan.ts';
import type { AttemptRecord } from '../model/run-event.ts';
import type { JUnitReport } from '../results/junit/junit-report.ts';
import { readJUnit } from '../results/junit/read-junit.ts';
import { summarise } from '../results/junit/summarise.ts';
import { createMasker } from '../results/log/masker.ts';
import { judgeAttempt } from '../results/verdict.ts';
import type { Lease } from '../store/store.ts';
import type { EngineDependencies } from './dependencies.ts';

/** Stores what an attempt left behind and judges it. `cacheScope` says whose caches it fills, `secrets` are masked in the reports. */
export async function recordResults(
  engine: EngineDependencies,
  lease: Lease,
  key: AttemptKey,
  {
    step,
    cacheScope,
    secrets,
  }: { readonly step: RunStep; readonly cacheScope: string; readonly secrets: readonly string[] },
  outcome: AttemptOutcome,
): Promise<AttemptRecord> {
  if (outcome.files.length > 0) await engine.store.saveArtifacts(lease, key, outcome.files);
  const reports: JUnitReport[] = [];
  const files = outcome.files.filter(({ kind }) => kind === 'junit');
  if (files.length > 0) await engine.store.saveTests(lease, key, casesOf(engine, files, secrets, reports));
  const tests = step.junit.paths.length > 0 ? summarise(reports) : undefined;
  const { verdict, outputs } = judgeAttempt(step, outcome, tests);
  // A key never changes its content, so what a red step left must not become it.
  const caches = verdict.outcome === 'succeeded' ? Object.entries(outcome.caches) : [];
  for (const [name, blob] of caches) await engine.store.saveCache(cacheScope, name, blob);
  const { exitCode, signal, startedAt, finishedAt, handover } = outcome;
  return {
    ...verdict,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(handover === undefined ? {} : { handover }),
    ...(tests && { tests }),
    artifacts: outcome.files.filter(({ kind }) => kind === 'artifact').length,
    outputs,
    notes: [],
  };
}

/** All cases of all reports, one file after the other; what is known of each file ends up in `reports`. */
async function* casesOf(
  engine: EngineDependencies,
  files: readonly ArtifactEntry[],
  secrets: readonly string[],
  reports: JUnitReport[],
): AsyncGenerator<readonly TestCase[]> {
  for (const { path, sha256 } of files) {
    const content: AsyncIterable<Uint8Array> = await engine.blobs.open(sha256);
    reports.push(yield* readJUnit(maskedBytes(content, secrets), path));
  }
}

/** A failed assertion may quote a token. The stored report itself is the user's file and stays as it is. */
async function* maskedBytes(
  content: AsyncIterable<Uint8Array>,
  secrets: readonly string[],
): AsyncGenerator<Uint8Array> {
  const masker = createMasker(secrets);
  for await (const chunk of content) yield masker.push(chunk);
  yield masker.end();
}
