import { posix } from 'node:path';
import type { ArtifactEntry } from '../model/result.ts';
import type { RunReport } from '../results/report/run-report.ts';
import type { Services } from './session.ts';

/** A file that a step kept. */
export interface RunArtifact extends ArtifactEntry {
  readonly step: string;
  readonly attempt: number;
}

/** Artefacts and reports of the last attempts of a run, those whose path fits one of the patterns; all without any. */
export async function selectArtifacts(
  { runId, steps }: RunReport,
  patterns: readonly string[],
  { store }: Pick<Services, 'store'>,
): Promise<readonly RunArtifact[]> {
  const chosen: RunArtifact[] = [];
  for (const { id, attempts } of steps) {
    if (attempts.length === 0) continue;
    const attempt = attempts.length;
    for (const entry of await store.artifacts({ runId, step: id, attempt })) {
      if (entry.kind !== 'output' && fits(entry.path, patterns)) chosen.push({ step: id, attempt, ...entry });
    }
  }
  return chosen;
}

function fits(path: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => posix.matchesGlob(path, pattern));
}
