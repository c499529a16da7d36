import { evaluateCondition, renderTemplate } from '../expressions/expression.ts';
import type { Command } from '../model/command.ts';
import { verdictOf } from '../model/outcome.ts';
import type { PlanStep, Template } from '../model/plan.ts';
import type { RunState } from '../model/run-state.ts';
import { scopeOf } from './scope.ts';

/** What ends or changes a step whose needs are satisfied, before an attempt; nothing when it may run. */
export function decideReady(state: RunState, step: PlanStep, now: number): readonly Command[] {
  const scope = scopeOf(state, step);
  if (step.condition) {
    const condition = evaluateCondition(step.condition, scope);
    if (!condition.ok) return [settle(step, verdictOf('expression_error', condition.message))];
    if (!condition.value) return [settle(step, verdictOf('condition', `if: ${step.condition.cel}`))];
  }
  if (step.kind === 'run') return [];
  if (step.kind === 'approval') {
    const message = renderTemplate(step.message, scope);
    if (!message.ok) return [settle(step, verdictOf('expression_error', message.message))];
    return [{ do: 'request-approval', step: step.id, message: message.value, expiresAt: now + step.timeoutMs }];
  }
  return [settleGroup(step, step.outputs, scope)];
}

function settleGroup(
  step: PlanStep,
  templates: Readonly<Record<string, Template>>,
  scope: ReturnType<typeof scopeOf>,
): Command {
  const outputs: Record<string, string> = {};
  for (const [name, template] of Object.entries(templates)) {
    const rendered = renderTemplate(template, scope);
    if (!rendered.ok) return settle(step, verdictOf('expression_error', `${name}: ${rendered.message}`));
    outputs[name] = rendered.value;
  }
  return { do: 'settle', step: step.id, verdict: { outcome: 'succeeded' }, outputs };
}

function settle(step: PlanStep, verdict: ReturnType<typeof verdictOf>): Command {
  return { do: 'settle', step: step.id, verdict, outputs: {} };
}
