import { formatDuration } from '../../model/duration.ts';
import type { RunRow } from '../../store/store.ts';
import type { Palette } from '../terminal/palette.ts';
import { fit, padTo, widthOf } from '../terminal/text.ts';
import { markOf } from './step-mark.ts';
import type { StepMark } from './step-mark.ts';
import { oneLine, shortCommit } from './words.ts';

/** What follows is how a run ended, which nobody's long branch is to push off the screen. */
const mostOfBranch = 40;

interface RowOptions {
  readonly columns: number;
  readonly now: number;
  readonly palette: Palette;
}

/** One line per run: mark, id, pipeline, branch and commit, how it ended, how long it took, how long ago. */
export function runRows(runs: readonly RunRow[], options: RowOptions): readonly string[] {
  const { palette, now, columns } = options;
  const table = runs.map((run) => [
    run.runId,
    oneLine(run.pipeline || run.repository),
    [fit(oneLine(run.branch), mostOfBranch), shortCommit(run.commit)].filter((part) => part !== '').join(' '),
    run.outcome ?? phaseOf(run),
    formatDuration((run.finishedAt ?? now) - run.createdAt),
    `${formatDuration(now - run.createdAt)} ago`,
  ]);
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => widthOf(row[column] ?? ''))));
  return runs.map((run, index) => {
    const cells = (table[index] ?? []).map((cell, column) => padTo(cell, widths[column] ?? 0));
    const mark = markOf(stateOfRun(run), { palette, animated: false, now });
    return fit(`${mark} ${cells.join('  ')}`.trimEnd(), columns);
  });
}

/** A priority counts until somebody has begun the run. */
function phaseOf({ phase, priority }: RunRow): string {
  return phase === 'queued' && priority !== 0 ? `queued, priority ${priority}` : phase;
}

function stateOfRun({ outcome, phase }: RunRow): StepMark {
  return outcome ?? (phase === 'running' ? 'running' : 'pending');
}
