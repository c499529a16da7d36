import { buffer } from 'node:stream/consumers';
import type { TestCase } from '../model/result.ts';
import { SluiceError } from '../model/errors.ts';
import type { RunReport } from '../results/report/run-report.ts';
import type { StepReport } from '../results/report/step-report.ts';
import type { Services } from './session.ts';
import { tailLines, tailStart } from './view/log-tail.ts';
import { isRed } from './view/step-mark.ts';
import type { RedStep } from './view/summary.ts';

const shownSteps = 3;
const shownCases = 5;
const shownLines = 10;

/** What the first red steps left behind, for the summary of a run. */
export async function readRedSteps(
  report: RunReport,
  { store, logs }: Pick<Services, 'store' | 'logs'>,
  keepColors: boolean,
): Promise<readonly RedStep[]> {
  const red = report.steps.filter((step) => isRed(step) && step.attempts.length > 0).slice(0, shownSteps);
  return Promise.all(
    red.map(async (step) => {
      const cases = await redCases(report.runId, step, store);
      // Names of red tests say more than the end of a log.
      const tail = cases.length > 0 ? [] : await logTail(report.runId, step, logs, keepColors);
      return { step, tail, cases };
    }),
  );
}

async function redCases(runId: string, step: StepReport, store: Services['store']): Promise<readonly TestCase[]> {
  const red: TestCase[] = [];
  if (!step.tests || step.tests.failures + step.tests.errors === 0) return red;
  for await (const testCase of store.tests({ runId, step: step.id, attempt: step.attempts.length })) {
    if (isRed(testCase)) red.push(testCase);
    if (red.length === shownCases) break;
  }
  return red;
}

async function logTail(
  runId: string,
  step: StepReport,
  logs: Services['logs'],
  keepColors: boolean,
): Promise<readonly string[]> {
  const attempt = step.attempts.at(-1);
  if (!attempt?.log || attempt.log.bytes === 0) return [];
  const key = { runId, step: step.id, attempt: attempt.number };
  try {
    const bytes = await buffer(await logs.read(key, { start: tailStart(attempt.log.bytes) }, attempt.log));
    return tailLines(bytes, shownLines, keepColors);
  } catch (error) {
    // A log that was deleted takes nothing away from the rest of the summary.
    if (error instanceof SluiceError && error.code === 'ERR_NOT_FOUND') return [];
    throw error;
  }
}
