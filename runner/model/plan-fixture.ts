import type { ApprovalStep, GroupEnd, GroupStart, Need, Plan, PlanStep, RunStep, StepId } from './plan.ts';
import type { RunEvent } from './run-event.ts';

const location = { file: 'sluice.yaml', line: 1, column: 1 };
const node = { scope: {}, finally: false, location };

/** Needs on single steps by their ids. */
export function needs(...ids: readonly StepId[]): readonly Need[] {
  return ids.map((id) => ({ name: id, steps: [id], allow: [] }));
}

export function runStep(id: StepId, change: Partial<RunStep> = {}): RunStep {
  return {
    ...node,
    kind: 'run',
    id,
    name: id,
    needs: [],
    script: 'true',
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
    retry: { max: 0, on: [], backoffMs: 1_000 },
    infraRetries: 0,
    requires: [],
    ...change,
  };
}

export function approvalStep(id: StepId, change: Partial<ApprovalStep> = {}): ApprovalStep {
  return { ...node, kind: 'approval', id, name: id, needs: [], message: 'go on?', timeoutMs: 60_000, ...change };
}

/** A used workflow around inner steps, as the compiler makes it. */
export function group(id: StepId, inner: readonly PlanStep[], change: Partial<GroupStart> = {}): readonly PlanStep[] {
  const start: GroupStart = {
    ...node,
    kind: 'group-start',
    id: `${id}/inputs`,
    name: id,
    needs: [],
    outputs: {},
    ...change,
  };
  const entered = inner.map((step) => ({ ...step, inputsFrom: start.id, needs: [...step.needs, ...needs(start.id)] }));
  const end: GroupEnd = {
    ...node,
    kind: 'group-end',
    id,
    name: id,
    needs: needs(...inner.map((step) => step.id)),
    inputsFrom: start.id,
    outputs: {},
  };
  return [start, ...entered, end];
}

export function planOf(steps: readonly PlanStep[], change: Partial<Plan> = {}): Plan {
  return { pipeline: 'test', steps, timeoutMs: 86_400_000, ...change };
}

/** The first event of the run `r1` of a push. */
export function runCreated(at: number): RunEvent {
  return {
    type: 'run-created',
    at,
    runId: 'r1',
    request: {
      repository: 'tasks',
      trigger: { event: 'push', ref: 'refs/heads/main', branch: 'main', tag: '', commit: 'c'.repeat(40), actor: 'ann' },
      file: 'sluice.yaml',
      dirty: false,
    },
    pipeline: 'test',
    group: '',
    plan: 'p',
    snapshot: 's',
    executor: 'local',
    carried: {},
  };
}
