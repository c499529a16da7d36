import type { StepId } from '../../model/plan.ts';
import type { RunReport } from '../../results/report/run-report.ts';
import type { StepReport } from '../../results/report/step-report.ts';
import { isRed } from './step-mark.ts';

/** A step, or the name over the cells of a matrix or the steps of a workflow. */
export interface TreeNode {
  readonly label: string;
  /** Absent for the name over the cells of a matrix. */
  readonly step?: StepReport;
  readonly children: readonly TreeNode[];
}

/** The steps of a run as people group them. Group starts are left out unless they are what went wrong. */
export function treeOf(report: RunReport): readonly TreeNode[] {
  const shown = report.steps.filter((step) => step.kind !== 'group-start' || isRed(step));
  return nodesIn(
    undefined,
    Map.groupBy(shown, (step) => step.group),
  );
}

type ByGroup = ReadonlyMap<StepId | undefined, readonly StepReport[]>;

function nodesIn(group: StepId | undefined, byGroup: ByGroup): readonly TreeNode[] {
  const steps = byGroup.get(group) ?? [];
  const cells = Map.groupBy(steps, (step) => step.matrix);
  const seen = new Set<string>();
  const nodes: TreeNode[] = [];
  for (const step of steps) {
    const { matrix } = step;
    if (matrix === undefined) nodes.push(nodeOf(step, byGroup));
    else if (!seen.has(matrix)) {
      seen.add(matrix);
      nodes.push({ label: matrix, children: (cells.get(matrix) ?? []).map((cell) => nodeOf(cell, byGroup)) });
    }
  }
  return nodes;
}

function nodeOf(step: StepReport, byGroup: ByGroup): TreeNode {
  return { label: step.id, step, children: step.kind === 'group-end' ? nodesIn(step.id, byGroup) : [] };
}

/** The steps below a node that do something, the node's own included. */
export function leavesOf(node: TreeNode): readonly StepReport[] {
  if (node.children.length > 0) return node.children.flatMap(leavesOf);
  return node.step ? [node.step] : [];
}
