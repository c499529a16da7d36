import type { StepId } from './plan.ts';

/** The id of the step whose matrix this one is a cell of: `load/unit` for `load/unit:22`. */
export function matrixName(id: StepId): StepId | undefined {
  const end = id.lastIndexOf(':');
  return end > id.lastIndexOf('/') ? id.slice(0, end) : undefined;
}

/** The id of the step that uses the workflow which this one is part of: `load` for `load/unit:22`. */
export function groupName(id: StepId): StepId | undefined {
  const end = id.lastIndexOf('/');
  return end === -1 ? undefined : id.slice(0, end);
}
