import { randomUUID } from 'node:crypto';
import type { RunStep } from '../../model/plan.ts';
import type { AttemptSpec } from '../executor.ts';

/** A step of one command, and nothing else unless said. */
export function stepOf(script: string, more: Partial<RunStep> = {}): RunStep {
  return {
    kind: 'run',
    id: 'unit',
    name: 'unit',
    needs: [],
    scope: {},
    finally: false,
    location: { file: 'sluice.yaml', line: 1, column: 1 },
    script,
    shell: 'sh',
    image: 'base',
    workdir: '',
    env: {},
    secrets: [],
    services: [],
    junit: { paths: [], allowEmpty: false },
    artifacts: [],
    outputs: { paths: [], values: [] },
    caches: [],
    resources: {},
    timeoutMs: 60_000,
    retry: { max: 0, on: [], backoffMs: 0 },
    infraRetries: 0,
    requires: [],
    ...more,
  };
}

export function specOf(step: RunStep, more: Partial<AttemptSpec> = {}): AttemptSpec {
  return { runId: randomUUID(), step, attempt: 1, env: step.env, secrets: {}, layers: [], caches: [], ...more };
}
