import { randomUUID } from 'node:crypto';
import { runStep } from '../../model/plan-fixture.ts';
import type { RunStep } from '../../model/plan.ts';
import type { AttemptSpec } from '../executor.ts';

/** A step of one command, and nothing else unless said. */
export function stepOf(script: string, more: Partial<RunStep> = {}): RunStep {
  return runStep('unit', { script, ...more });
}

export function specOf(step: RunStep, more: Partial<AttemptSpec> = {}): AttemptSpec {
  return { runId: randomUUID(), step, attempt: 1, env: step.env, secrets: {}, layers: [], caches: [], ...more };
}
