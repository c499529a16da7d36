import { parseDuration } from '../model/duration.ts';
import type { PlanConcurrency, PlanResources, PlanRetry } from '../model/plan.ts';
import type { Concurrency } from './pipeline-file.generated.ts';
import type { ProblemList, Spot } from './problem-list.ts';
import { complain, earlyText } from './step-cell.ts';
import type { StepCell } from './step-cell.ts';

const longest = 30 * 24 * 60 * 60 * 1_000;

/** Milliseconds of a duration, or of the default where there is none. */
export function durationMs(problems: ProblemList, spot: Spot, written: string | undefined, otherwise: string): number {
  const ms = parseDuration(written ?? otherwise) ?? 0;
  if (ms > 0 && ms <= longest) return ms;
  problems.add(
    spot,
    'duration-invalid',
    `\`${written ?? otherwise}\` is no time that can be waited for.`,
    'Write a time between 1ms and 30d.',
  );
  return longest;
}

export function compileRetry(cell: StepCell): PlanRetry {
  const retry = cell.step.retry;
  const spot = { ...cell.spot, path: [...cell.spot.path, 'retry', 'backoff'] };
  const backoffMs = durationMs(cell.compilation.problems, spot, retry?.backoff, '1s');
  return { max: retry?.max ?? 0, on: retry?.on ?? ['errored'], backoffMs };
}

const bytes = /^[\d.]+([kMGT]i?)?$/;
const quantities = {
  cpu: { form: /^[\d.]+m?$/, what: 'CPU', hint: 'Write cores, `2`, or thousandths, `500m`.' },
  memory: { form: bytes, what: 'memory', hint: 'Write bytes with a unit: `512Mi`, `2Gi`.' },
  'ephemeral-storage': { form: bytes, what: 'disk', hint: 'Write bytes with a unit: `500Mi`, `10Gi`.' },
} as const;

export function compileResources(cell: StepCell): PlanResources {
  const resources = cell.step.resources ?? {};
  for (const [name, { form, what, hint }] of Object.entries(quantities)) {
    const written = resources[name as keyof PlanResources];
    if (written === undefined || isPositive(written, form)) continue;
    complain(cell, ['resources', name], 'quantity-invalid', `\`${written}\` is no amount of ${what}.`, hint);
  }
  return resources;
}

function isPositive(quantity: string, form: RegExp): boolean {
  return form.test(quantity) && Number.parseFloat(quantity) > 0;
}

export function compileConcurrency(cell: StepCell, concurrency: Concurrency): PlanConcurrency {
  return { group: earlyText(cell, ['concurrency', 'group'], concurrency.group), policy: concurrency.policy ?? 'queue' };
}
