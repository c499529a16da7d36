import type { Knowledge } from '../expressions/reduce-template.ts';
import type { GroupStart, Template } from '../model/plan.ts';
import type { Body, Compilation } from './compilation.ts';
import type { Names } from './names.ts';
import type { Step } from './pipeline-file.generated.ts';
import type { Path } from './positioned.ts';
import type { ProblemCode } from './problem-codes.ts';
import { under } from './problem-list.ts';
import type { Spot } from './problem-list.ts';

/** What every kind of step of a plan has. */
export type StepNode = Omit<GroupStart, 'kind' | 'outputs'>;

/** One step of a file for one cell of its matrix (or its only one), about to become steps of the plan. */
export interface StepCell {
  readonly compilation: Compilation;
  readonly body: Body;
  readonly spot: Spot;
  readonly step: Step;
  readonly node: StepNode;
  /** What values that must be known before the run may refer to, and what those that are read when the step starts may. */
  readonly names: { readonly early: Names; readonly late: Names };
  readonly knowledge: Knowledge;
}

/** A text of the step that must be known before the run. */
export function earlyText(cell: StepCell, path: Path, text: string, more: Names = {}): string {
  const names = { ...cell.names.early, ...more };
  return cell.compilation.reader.text({ spot: under(cell.spot, ...path), text, names }, cell.knowledge);
}

/** A text of the step that may depend on earlier steps. */
export function lateText(cell: StepCell, path: Path, text: string, more: Names = {}): Template {
  const names = { ...cell.names.late, ...more };
  return cell.compilation.reader.template({ spot: under(cell.spot, ...path), text, names }, cell.knowledge);
}

export function complain(cell: StepCell, path: Path, code: ProblemCode, message: string, hint?: string): void {
  cell.compilation.problems.add(under(cell.spot, ...path), code, message, hint);
}
