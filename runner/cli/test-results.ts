import type { TestCase } from '../model/result.ts';
import type { RunReport } from '../results/report/run-report.ts';
import type { Services } from './session.ts';
import { isRed } from './view/step-mark.ts';
import { runOfStep } from '../results/report/run-of-step.ts';

/** A test case with the place where it ran. */
export interface RunTest extends TestCase {
  readonly step: string;
  readonly attempt: number;
}

export interface TestSelection {
  readonly step?: string;
  readonly show: 'red' | 'flaky' | 'all';
  /** Only the slowest, so many. */
  readonly slowest?: number;
}

const order: readonly TestCase['outcome'][] = ['failed', 'errored', 'skipped', 'passed'];

/** Test cases of the last attempts of a run: red ones first, or the slowest first. */
export async function selectTests(
  report: RunReport,
  { step, show, slowest }: TestSelection,
  { store }: Pick<Services, 'store'>,
): Promise<readonly RunTest[]> {
  const chosen: RunTest[] = [];
  for (const ran of report.steps) {
    const { id, attempts, tests } = ran;
    if (!tests || (step !== undefined && step !== id)) continue;
    const attempt = attempts.length;
    for await (const testCase of store.tests({ runId: runOfStep(report, ran), step: id, attempt })) {
      if (!isWanted(testCase, slowest === undefined ? show : 'all')) continue;
      chosen.push({ step: id, attempt, ...testCase });
      if (slowest !== undefined && chosen.length >= 2 * slowest) cutToSlowest(chosen, slowest);
    }
  }
  if (slowest !== undefined) return cutToSlowest(chosen, slowest);
  return chosen.toSorted((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
}

function isWanted(testCase: TestCase, show: TestSelection['show']): boolean {
  if (show === 'all') return true;
  return show === 'flaky' ? testCase.flaky : isRed(testCase);
}

/** In place, so that a million cases need no more memory than the slowest few. */
function cutToSlowest(cases: RunTest[], number: number): readonly RunTest[] {
  cases.sort((a, b) => b.durationMs - a.durationMs).splice(number);
  return cases;
}
