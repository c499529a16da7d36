import { parseDuration } from '../model/duration.ts';
import type { PlanConcurrency, PlanRetry, RunStep } from '../model/plan.ts';
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

export function compileResources(cell: StepCell): RunStep['resources'] {
  const { cpu, memory } = cell.step.resources ?? {};
  if (cpu !== undefined && !isPositive(cpu, /^[\d.]+m?$/)) {
    complain(
      cell,
      ['resources', 'cpu'],
      'quantity-invalid',
      `\`${cpu}\` is no amount of CPU.`,
      'Write cores, `2`, or thousandths, `500m`.',
    );
  }
  if (memory !== undefined && !isPositive(memory, /^[\d.]+([kMGT]i?)?$/)) {
    complain(
      cell,
      ['resources', 'memory'],
      'quantity-invalid',
      `\`${memory}\` is no amount of memory.`,
      'Write bytes with a unit: `512Mi`, `2Gi`.',
    );
  }
  return { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) };
}

function isPositive(quantity: string, form: RegExp): boolean {
  return form.test(quantity) && Number.parseFloat(quantity) > 0;
}

export function compileConcurrency(cell: StepCell, concurrency: Concurrency): PlanConcurrency {
  return { group: earlyText(cell, ['concurrency', 'group'], concurrency.group), policy: concurrency.policy ?? 'queue' };
}
