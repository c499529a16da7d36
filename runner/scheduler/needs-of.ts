import { verdictOf } from '../model/outcome.ts';
import type { Verdict } from '../model/outcome.ts';
import type { GroupEnd, Need, PlanStep, RunStep, StepId } from '../model/plan.ts';
import type { RunState, StepState } from '../model/run-state.ts';
import { groupName } from '../model/step-names.ts';

export type NeedsStatus =
  | { readonly kind: 'satisfied' }
  | { readonly kind: 'waiting' }
  /** The step ends with this verdict without having begun. */
  | { readonly kind: 'refused'; readonly verdict: Verdict };

/** May the step begin, as far as the steps that it needs are concerned? */
export function needsOf(state: RunState, step: PlanStep): NeedsStatus {
  if (step.kind === 'group-end') return groupStatus(state, step);
  const needed = step.needs.flatMap((need) => need.steps.map((id) => ({ id, need, step: state.steps.get(id) })));
  const unmet = needed.filter(({ need, step: other }) => other?.phase === 'settled' && !satisfies(need, other));
  const failed = unmet.find(
    ({ step: other }) => other?.verdict?.outcome !== 'skipped' || other.verdict.reason !== 'condition',
  );
  const first = failed ?? unmet[0];
  if (first) return refused(state, first.id);
  const enough = mayTrust(step) ? isSettledOrReported : isSettled;
  return needed.every(({ step: other }) => enough(other)) ? { kind: 'satisfied' } : { kind: 'waiting' };
}

/**
 * Whether a step may begin on the mere word of those it needs. Not with secrets, which a step that should not have begun
 * could spend; not where a second try is one too many; not where conditions or limits would have to be taken back; not where it acts outside
 * of its own workspace.
 */
export function mayTrust(step: PlanStep): step is RunStep {
  if (step.kind !== 'run' || step.finally || step.requires.includes('environments')) return false;
  return step.secrets.length === 0 && step.infraRetries > 0 && !step.condition && !step.concurrency;
}

function isSettled(step: StepState | undefined): boolean {
  return step?.phase === 'settled';
}

function isSettledOrReported(step: StepState | undefined): boolean {
  return isSettled(step) || step?.word !== undefined;
}

function satisfies(need: Need, step: StepState): boolean {
  const outcome = step.verdict?.outcome;
  if (outcome === 'succeeded') return true;
  // `allow: [skipped]` is for a step that was not wanted, never for one that fell with a failed need.
  return outcome === 'skipped' && need.allow.includes('skipped') && !fellWithFailure(step);
}

function fellWithFailure({ verdict }: Pick<StepState, 'verdict'>): boolean {
  return verdict?.reason === 'needs_failed' || verdict?.reason === 'run_cancelled';
}

/** A chain of skipped steps tells the cause at its beginning: what a person looks for is the step that went wrong. */
function refused(state: RunState, id: StepId): NeedsStatus {
  const verdict = state.steps.get(id)?.verdict;
  if (verdict?.outcome !== 'skipped')
    return { kind: 'refused', verdict: verdictOf('needs_failed', `${id} ${verdict?.outcome ?? 'did not end'}`) };
  const reason = fellWithFailure({ verdict }) ? 'needs_failed' : 'needs_skipped';
  const isCause = verdict.reason === 'condition' || verdict.message === undefined;
  return { kind: 'refused', verdict: verdictOf(reason, isCause ? skippedWords(state, id, verdict) : verdict.message) };
}

function skippedWords(state: RunState, id: StepId, { message }: Verdict): string {
  const isStart = state.plan.steps.some((step) => step.id === id && step.kind === 'group-start');
  // The start of a used workflow is nothing that its user has written.
  const name = isStart ? (groupName(id) ?? id) : id;
  return `${name} was skipped${message === undefined ? '' : ` (${message})`}`;
}

/** A group ends when all its steps have; it succeeds when none of them went wrong and it was entered at all. */
function groupStatus(state: RunState, step: GroupEnd): NeedsStatus {
  const start = step.inputsFrom === undefined ? undefined : state.steps.get(step.inputsFrom)?.verdict;
  if (start && start.outcome !== 'succeeded') return { kind: 'refused', verdict: start };
  const inner = step.needs.flatMap((need) => need.steps).map((id) => state.steps.get(id));
  if (!inner.every((other) => other?.phase === 'settled')) return { kind: 'waiting' };
  const outcomes = inner.map((other) => other?.verdict?.outcome);
  if (outcomes.includes('failed')) return { kind: 'refused', verdict: verdictOf('step_failed') };
  if (outcomes.includes('errored')) return { kind: 'refused', verdict: verdictOf('step_errored') };
  const cancelled = inner.find((other) => other?.verdict?.outcome === 'cancelled')?.verdict;
  if (cancelled) return { kind: 'refused', verdict: cancelled };
  if (inner.some((other) => other && fellWithFailure(other)))
    return { kind: 'refused', verdict: verdictOf('step_failed') };
  if (!outcomes.includes('succeeded'))
    return { kind: 'refused', verdict: verdictOf('needs_skipped', 'every step of the workflow was skipped') };
  return { kind: 'satisfied' };
}
