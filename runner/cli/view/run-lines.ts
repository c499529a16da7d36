import { formatDuration } from '../../model/duration.ts';
import type { RunReport } from '../../results/report/run-report.ts';
import type { StepReport } from '../../results/report/step-report.ts';
import type { Palette } from '../terminal/palette.ts';
import { fit } from '../terminal/text.ts';
import { treeOf } from './run-tree.ts';
import { paintState, stateOf, tally } from './step-mark.ts';
import { treeLines } from './tree-lines.ts';
import type { TreeOptions } from './tree-lines.ts';
import { oneLine, shortCommit, waitingWords } from './words.ts';

/** "tasks-api  main 3f2a9c1 with uncommitted changes  run mi8f2k3a-1abc2de". */
export function titleOf(
  { pipeline, request, runId }: Pick<RunReport, 'pipeline' | 'request' | 'runId'>,
  palette: Palette,
): string {
  const { trigger, dirty, rerunOf } = request;
  const ref = [oneLine(trigger.branch || trigger.tag), shortCommit(trigger.commit)].filter((part) => part !== '');
  return [
    // A run that ended before its file was read has no pipeline yet.
    palette.strong(pipeline === '' ? oneLine(request.repository) : pipeline),
    `${ref.join(' ')}${dirty ? ' with uncommitted changes' : ''}`,
    palette.faint(`run ${runId}${rerunOf === undefined ? '' : `, repeats ${rerunOf}`}`),
  ].join('  ');
}

/** The whole picture of a run at a time: title, tree, what is asked of people, and where it stands. */
export function runLines(report: RunReport, options: TreeOptions, below: readonly string[] = []): readonly string[] {
  const { palette, columns } = options;
  const asks = askLines(report, palette);
  const rows = options.rows - asks.length - below.length - 4;
  const tree = treeLines(treeOf(report), { ...options, rows: Math.max(2, rows) });
  return [
    titleOf(report, palette),
    ...(tree.length > 0 ? ['', ...tree] : []),
    ...(below.length > 0 ? ['', ...below] : []),
    '',
    ...asks,
    statusLine(report, options),
  ].map((line) => fit(line, columns));
}

function askLines(report: RunReport, palette: Palette): readonly string[] {
  return report.steps
    .filter((step) => step.waiting?.for === 'approval')
    .map((step) => palette.ask(`? ${step.id}: sluice approve ${report.runId} ${step.id}`));
}

/** "failed after 12.3 s  1 failed, 3 succeeded", or where the run stands. */
function statusLine(report: RunReport, { palette, now }: Pick<TreeOptions, 'palette' | 'now'>): string {
  const steps = report.steps.filter(isWork).map(stateOf);
  const time = formatDuration((report.finishedAt ?? now) - (report.startedAt ?? report.createdAt));
  if (report.outcome !== undefined) {
    const words = paintState(report.outcome, palette)(palette.strong(runWords(report)));
    return `${words} after ${time}  ${palette.faint(tally(steps))}`.trimEnd();
  }
  if (report.waiting) return palette.ask(waitingWords(report.waiting, now));
  const doing = report.cancelledBy === undefined ? '' : palette.ask(`cancelled by ${oneLine(report.cancelledBy)}  `);
  return `${doing}${time}  ${palette.faint(tally(steps))}`;
}

function runWords({ outcome, cancelledBy }: RunReport): string {
  if (outcome === 'cancelled' && cancelledBy !== undefined) return `cancelled by ${oneLine(cancelledBy)}`;
  return outcome ?? '';
}

/** Why a run ended as it did where its steps do not say so: what is particular to it, and the next step. Never cut. */
export function reasonLines({ outcome, reason, message, hint }: RunReport, palette: Palette): readonly string[] {
  const isSum = reason === undefined || reason === 'step_failed' || reason === 'step_errored';
  if (outcome === 'cancelled' || isSum) return [];
  return [
    ...(message === undefined ? [] : [`  ${oneLine(message)}`]),
    ...(hint === undefined ? [] : [`  ${palette.faint(hint)}`]),
  ];
}

/** Groups only gather others, so that they count for nothing. */
export function isWork({ kind }: StepReport): boolean {
  return kind === 'run' || kind === 'approval';
}
