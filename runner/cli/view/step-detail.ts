import { formatDuration } from '../../model/duration.ts';
import type { Ending } from '../../results/report/ending.ts';
import type { StepReport } from '../../results/report/step-report.ts';
import { count, firstLine, oneLine, testCounts, waitingWords } from './words.ts';

/** What there is to say of a step beside its name, mark and time, in one line. */
export function stepDetail(step: StepReport, now: number): string {
  if (step.waiting) return waitingWords(step.waiting, now);
  if (step.outcome === undefined) return join([retryOf(step)]);
  const facts = [
    ...(step.outcome === 'succeeded' ? [] : [endingWords(step)]),
    ...approvalWords(step),
    ...(step.carriedFrom === undefined ? [] : [`from run ${step.carriedFrom}`]),
    // The reason has counted them already.
    ...(step.tests && step.reason !== 'tests_failed' ? [testCounts(step.tests)] : []),
    ...(step.artifacts > 0 ? [count(step.artifacts, 'artefact')] : []),
    retryOf(step),
  ];
  return join(facts);
}

/** "failed: exit code 1", "skipped: unit failed"; of several lines, such as the last ones of an app that ended, the first. */
export function endingWords({ outcome, message, hint }: Ending): string {
  const why = message ?? hint;
  return `${outcome ?? 'unfinished'}${why === undefined ? '' : `: ${firstLine(why)}`}`;
}

/** Time from the first attempt to the end or to now; '' for what never ran. */
export function stepTime(step: StepReport, now: number): string {
  if (step.startedAt === undefined) return '';
  return formatDuration((step.finishedAt ?? now) - step.startedAt);
}

/** Who approved and why. Who rejected is part of the reason already. */
function approvalWords({ approval }: StepReport): readonly string[] {
  if (!approval) return [];
  return [approval.approved ? `approved by ${oneLine(approval.by)}` : '', oneLine(approval.comment)];
}

function retryOf({ attempts }: StepReport): string {
  return attempts.length > 1 ? `attempt ${attempts.length}` : '';
}

function join(facts: readonly string[]): string {
  return facts.filter((fact) => fact !== '').join(' · ');
}
