import { posix } from 'node:path';
import type { ArtifactEntry, AttemptKey } from '../../model/result.ts';
import type { RunReport } from './run-report.ts';
import { runOfStep } from './run-of-step.ts';

/** A file that a step kept. */
export interface RunArtifact extends ArtifactEntry {
  readonly step: string;
  readonly attempt: number;
}

/** Artefacts and reports of the last attempts of a run, those whose path fits one of the patterns; all without any. */
export async function selectArtifacts(
  report: RunReport,
  patterns: readonly string[],
  store: { artifacts(key: AttemptKey): Promise<readonly ArtifactEntry[]> },
): Promise<readonly RunArtifact[]> {
  const chosen: RunArtifact[] = [];
  for (const step of report.steps) {
    const { id, attempts } = step;
    if (attempts.length === 0) continue;
    const attempt = attempts.length;
    const entries = await store.artifacts({ runId: runOfStep(report, step), step: id, attempt });
    for (const entry of entries) {
      if (isKept(entry, entries) && fits(entry.path, patterns)) chosen.push({ step: id, attempt, ...entry });
    }
  }
  return chosen;
}

/** A report that is an artefact too is listed once. */
function isKept({ kind, path }: ArtifactEntry, entries: readonly ArtifactEntry[]): boolean {
  return (
    kind === 'artifact' ||
    (kind === 'junit' && !entries.some((other) => other.kind === 'artifact' && other.path === path))
  );
}

function fits(path: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => posix.matchesGlob(path, pattern));
}
