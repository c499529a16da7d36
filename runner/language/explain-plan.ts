import { evaluateCondition } from '../expressions/expression.ts';
import { parseExpression } from '../expressions/parse-expression.ts';
import type { ApprovalStep, Plan, PlanStep, RunStep, StepId, Template } from '../model/plan.ts';

/** A step as `sluice plan` shows it: everything that is known before the run. */
export interface ExplainedStep {
  readonly id: StepId;
  readonly kind: 'run' | 'approval';
  /** 1 for steps that start at once, else one more than the highest of the steps that it waits for. */
  readonly level: number;
  /** Steps that it waits for, workflows by the name of their `uses` step. */
  readonly needs: readonly StepId[];
  readonly condition?: string;
  /** Certain before the run: its condition, or that of a workflow around it or of a step it needs, is false. */
  readonly skipped: boolean;
  readonly finally: boolean;
  /** The script, or what an approval asks. */
  readonly does: string;
  readonly image?: string;
  readonly workdir?: string;
  /** As written, where a value is not known yet. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly services: readonly string[];
  readonly timeoutMs: number;
  readonly requires: readonly string[];
}

export interface ExplainedPlan {
  readonly pipeline: string;
  readonly timeoutMs: number;
  readonly levels: number;
  readonly steps: readonly ExplainedStep[];
}

/** What of a node of the plan matters to those behind it. Groups have the level of what they wait for. */
interface Seen {
  readonly level: number;
  readonly skipped: boolean;
  /** The start of a workflow. */
  readonly start: boolean;
  /** What stands for it in the needs of others. */
  readonly shownAs: readonly StepId[];
}

export function explainPlan(plan: Plan): ExplainedPlan {
  const seen = new Map<StepId, Seen>();
  const steps: ExplainedStep[] = [];
  const lastOfMain = () => Math.max(0, ...steps.filter((step) => !step.finally).map((step) => step.level));
  for (const step of plan.steps) {
    const needed = step.needs.flatMap((need) => need.steps.map((id) => ({ need, ...(seen.get(id) ?? nothing) })));
    const before = Math.max(step.finally ? lastOfMain() : 0, ...needed.map(({ level }) => level));
    const unmet = needed.filter(({ need, skipped }) => skipped && !need.allow.includes('skipped'));
    const skipped = step.kind === 'group-end' ? unmet.length === needed.length : unmet.length > 0 || isFalse(step);
    // Steps of a workflow that wait for each other wait for what is before the workflow anyway.
    const inner = needed.filter(({ start }) => !start);
    const needs = [...new Set((inner.length > 0 ? inner : needed).flatMap(({ shownAs }) => shownAs))];
    if (step.kind === 'run' || step.kind === 'approval') {
      steps.push(explained(step, { level: before + 1, needs, skipped }));
      seen.set(step.id, { level: before + 1, skipped, start: false, shownAs: [step.id] });
    } else {
      const start = step.kind === 'group-start';
      seen.set(step.id, { level: before, skipped, start, shownAs: start ? needs : [step.id] });
    }
  }
  const { pipeline, timeoutMs } = plan;
  return { pipeline, timeoutMs, levels: Math.max(0, ...steps.map(({ level }) => level)), steps };
}

/** Steps that will not run whatever the others give: where they were not meant to, nothing is asked for them. */
export function certainlySkipped(plan: Plan): ReadonlySet<StepId> {
  return new Set(explainPlan(plan).steps.flatMap(({ id, skipped }) => (skipped ? [id] : [])));
}

const nothing: Seen = { level: 0, skipped: false, start: false, shownAs: [] };

/** Whether a condition is false already, with what is known before the run. */
function isFalse({ condition, scope }: PlanStep): boolean {
  const parsed = condition && parseExpression(condition.cel);
  if (!parsed?.ok || !parsed.expression.references.every(({ path }) => Object.hasOwn(scope, path[0] ?? '')))
    return false;
  const result = evaluateCondition(condition ?? { cel: 'true' }, scope);
  return result.ok && !result.value;
}

function explained(
  step: RunStep | ApprovalStep,
  place: Pick<ExplainedStep, 'level' | 'needs' | 'skipped'>,
): ExplainedStep {
  const shared = {
    id: step.id,
    ...place,
    ...(step.condition && { condition: step.condition.cel }),
    finally: step.finally,
    timeoutMs: step.timeoutMs,
  };
  if (step.kind === 'approval') {
    return {
      ...shared,
      kind: 'approval',
      does: written(step.message),
      env: {},
      secrets: [],
      services: [],
      requires: [],
    };
  }
  return {
    ...shared,
    kind: 'run',
    does: step.script,
    ...(step.operation && { operation: step.operation }),
    image: step.image,
    workdir: step.workdir,
    env: Object.fromEntries(Object.entries(step.env).map(([name, value]) => [name, written(value)])),
    secrets: step.secrets,
    services: step.services.map(({ name, image }) => `${name}: ${image}`),
    requires: step.requires,
  };
}

function written(template: Template): string {
  if (typeof template === 'string') return template;
  return template.parts.map((part) => (typeof part === 'string' ? part : `\${{ ${part.cel} }}`)).join('');
}
