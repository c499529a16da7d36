import type { Plan, StepId } from '../model/plan.ts';
import type { AttemptRecord, CarriedStep, RunEvent, StoredEvent } from '../model/run-event.ts';
import { isHeld } from '../model/run-state.ts';
import type { AttemptState, RunState, StepState } from '../model/run-state.ts';
import { SluiceError } from '../model/errors.ts';

type EventOf<Type extends RunEvent['type']> = StoredEvent & { readonly type: Type };

/**
 * The state of a run is the fold of its events. `plan` is that of `run-created`; until then a run has none. ERR_CORRUPT
 * when the first is neither `run-created` nor `run-requested`.
 */
export function replay(plan: Plan | undefined, events: readonly StoredEvent[]): RunState {
  const [first, ...rest] = events;
  let state = begin(plan, first);
  for (const event of rest) {
    state =
      event.type === 'run-created' && state.phase === 'queued' ? planned(state, plan, event) : evolve(state, event);
  }
  return state;
}

function begin(plan: Plan | undefined, first: StoredEvent | undefined): RunState {
  if (first?.type === 'run-created') return created(needed(plan), first);
  if (first?.type === 'run-requested') return requested(first);
  throw new SluiceError('ERR_CORRUPT', 'A run must begin with the event run-created or run-requested.');
}

const noPlan: Plan = { pipeline: '', steps: [], timeoutMs: 0 };

function requested(event: EventOf<'run-requested'>): RunState {
  const { runId, request, version, at } = event;
  const nothing = { executor: '', snapshot: '', carried: {}, steps: new Map() };
  return { ...nothing, runId, plan: noPlan, request, version, phase: 'queued', createdAt: at };
}

function planned(queued: RunState, plan: Plan | undefined, event: EventOf<'run-created'>): RunState {
  const { createdAt, cancel, review } = queued;
  return { ...created(needed(plan), event), createdAt, ...(cancel && { cancel }), ...(review && { review }) };
}

function needed(plan: Plan | undefined): Plan {
  if (plan) return plan;
  throw new SluiceError('ERR_CORRUPT', 'A run that was created must have a plan.');
}

function created(plan: Plan, event: EventOf<'run-created'>): RunState {
  return {
    runId: event.runId,
    plan,
    request: event.request,
    executor: event.executor,
    snapshot: event.snapshot,
    carried: event.carried,
    version: event.version,
    phase: 'created',
    steps: new Map(plan.steps.map((step) => [step.id, initialStep(event.carried[step.id], event.at)])),
    createdAt: event.at,
  };
}

function initialStep(carried: CarriedStep | undefined, at: number): StepState {
  const fresh: StepState = { phase: 'pending', attempts: [], retries: { user: 0, infra: 0 }, outputs: {} };
  if (!carried) return fresh;
  const { fromRun, verdict, outputs, handover } = carried;
  return {
    ...settled(fresh, at, verdict, outputs),
    carriedFrom: fromRun,
    ...(handover === undefined ? {} : { handover }),
  };
}

/**
 * The state after one more event. Total: what contradicts the state changes nothing but the version, so that a terminal
 * state never changes whatever arrives late or twice.
 */
export function evolve(state: RunState, event: StoredEvent): RunState {
  const next = { ...state, version: event.version };
  if (state.phase === 'finished') return next;
  switch (event.type) {
    case 'run-requested':
    case 'run-created':
      return next;
    case 'run-reviewed': {
      const { commit, approved, by, comment } = event;
      return isHeld(state) ? { ...next, review: { commit, approved, by, comment } } : next;
    }
    case 'run-refused':
      return { ...next, problems: event.problems };
    case 'run-waiting':
      return { ...next, phase: 'waiting', waitingFor: { group: event.group, holder: event.holder } };
    case 'run-started':
      return { ...without(next, 'waitingFor'), phase: 'running', startedAt: event.at };
    case 'cancel-requested':
      return state.cancel ? next : { ...next, cancel: { at: event.at, by: event.by, reason: event.reason } };
    case 'run-finished':
      return { ...without(next, 'waitingFor'), phase: 'finished', verdict: event.verdict, finishedAt: event.at };
    default:
      return withStep(next, event.step, (step) => evolveStep(step, event));
  }
}

/** The state after events that have not been stored yet. */
export function evolveAll(state: RunState, events: readonly RunEvent[]): RunState {
  let current = state;
  for (const event of events) current = evolve(current, { ...event, version: current.version + 1 });
  return current;
}

type StepEvent = Extract<StoredEvent, { readonly step: StepId }>;

function evolveStep(step: StepState, event: StepEvent): StepState {
  switch (event.type) {
    case 'attempt-started':
      return {
        ...without(step, 'notBefore'),
        phase: 'running',
        attempts: [...step.attempts, { number: event.attempt, startedAt: event.at }],
      };
    case 'attempt-placed':
      return { ...step, attempts: updateAttempt(step, event.attempt, { place: event.place }) };
    case 'attempt-waiting':
      return { ...step, attempts: withWaiting(step, event.attempt, event) };
    case 'attempt-reported':
      return isUnderWay(step, event.attempt) ? { ...step, word: event.word } : step;
    case 'attempt-finished':
      return attemptFinished(step, event);
    case 'step-settled':
      return settled(step, event.at, event.verdict, event.outputs);
    case 'approval-requested':
      return { ...step, phase: 'awaiting-approval', approval: { message: event.message, expiresAt: event.expiresAt } };
    case 'approval-given':
      if (!step.approval || step.approval.approved !== undefined) return step;
      return {
        ...step,
        approval: { ...step.approval, approved: event.approved, by: event.by, comment: event.comment },
      };
  }
}

function attemptFinished(step: StepState, event: EventOf<'attempt-finished'>): StepState {
  if (!isUnderWay(step, event.attempt)) return step;
  const { next, result } = event;
  const attempts = updateAttempt({ ...step, attempts: withWaiting(step, event.attempt) }, event.attempt, {
    finishedAt: event.at,
    result,
  });
  const ended: StepState = { ...without(step, 'word'), attempts };
  if (next.kind === 'again') return { ...ended, phase: 'pending' };
  if (next.kind === 'settle')
    return { ...settled(ended, event.at, verdictIn(result), result.outputs), ...handoverIn(result) };
  const retries = { ...step.retries, [next.cause]: step.retries[next.cause] + 1 };
  return { ...ended, phase: 'waiting', notBefore: next.notBefore, retries };
}

function verdictIn({ outcome, reason, message }: AttemptRecord): NonNullable<StepState['verdict']> {
  return { outcome, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}

function handoverIn({ handover }: AttemptRecord): Pick<StepState, 'handover'> {
  return handover === undefined ? {} : { handover };
}

function settled(step: StepState, at: number, verdict: StepState['verdict'], outputs: StepState['outputs']): StepState {
  return { ...step, phase: 'settled', settledAt: at, outputs, ...(verdict && { verdict }) };
}

function isUnderWay(step: StepState, attempt: number): boolean {
  return step.phase === 'running' && step.attempts.at(-1)?.number === attempt;
}

function withWaiting(step: StepState, number: number, event?: EventOf<'attempt-waiting'>): readonly AttemptState[] {
  const { reason = '', message = '' } = event ?? {};
  return step.attempts.map((attempt) => {
    if (attempt.number !== number) return attempt;
    return { ...without(attempt, 'waiting'), ...(reason !== '' && { waiting: { reason, message } }) };
  });
}

function updateAttempt(step: StepState, number: number, change: Partial<AttemptState>): readonly AttemptState[] {
  return step.attempts.map((attempt) => (attempt.number === number ? { ...attempt, ...change } : attempt));
}

function withStep(state: RunState, id: StepId, change: (step: StepState) => StepState): RunState {
  const step = state.steps.get(id);
  if (!step || step.phase === 'settled') return state;
  return { ...state, steps: new Map(state.steps).set(id, change(step)) };
}

function without<Value extends object, Key extends keyof Value>(value: Value, key: Key): Omit<Value, Key> {
  const copy = { ...value };
  Reflect.deleteProperty(copy, key);
  return copy;
}
