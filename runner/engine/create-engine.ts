import { SluiceError } from '../model/errors.ts';
import type { StepId } from '../model/plan.ts';
import type { Review } from '../model/run-event.ts';
import { isHeld } from '../model/run-state.ts';
import type { RunState } from '../model/run-state.ts';
import type { TraceParent } from '../model/trace-parent.ts';
import { nobody } from '../store/store.ts';
import type { Lease } from '../store/store.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { Engine, RerunScope, RunObserver } from './engine.ts';
import { recordPlan } from './plan-run.ts';
import { prepareRun, readSchedules } from './prepare-run.ts';
import { openJournal, readState } from './read-run.ts';
import { carriedSteps } from './rerun.ts';
import { RunDriver } from './run-driver.ts';
import { createRun, storeSnapshot } from './store-run.ts';
import type { NewRunFacts } from './store-run.ts';
import { recoverRuns, takeRun } from './take-run.ts';

/** The engine over its ports. It owns none of them: who made them closes them. */
export function createEngine(engine: EngineDependencies): Engine {
  /** Leases of runs that this process created and has not driven yet. */
  const leases = new Map<string, Lease>();

  const create = async (run: NewRunFacts): Promise<string> => {
    const { runId, lease } = await createRun(engine, run, engine.owner);
    leases.set(runId, lease);
    return runId;
  };

  const leaseOf = async (runId: string): Promise<Lease> => {
    const lease = leases.get(runId) ?? (await engine.store.claim(runId, engine.owner));
    if (!lease) throw new SluiceError('ERR_CONFLICT', `Run ${runId} is driven by another process.`);
    leases.delete(runId);
    return lease;
  };

  const anticipate = (): void => engine.executor.anticipate?.();

  return {
    anticipate,
    prepare: (options) => {
      anticipate();
      return prepareRun(engine, options);
    },
    schedules: (location, commit, file) => readSchedules(engine, location, commit, file),
    start: (prepared) => storeSnapshot(engine, prepared).then(create),
    take: async (most) => {
      const lease = await takeRun(engine, most);
      if (lease) leases.set(lease.runId, lease);
      return lease?.runId;
    },
    plan: async (runId, locate) => {
      const lease = await leaseOf(runId);
      // A failure leaves it to be claimed anew: claims are counted, so that nothing is tried for ever.
      const state = await recordPlan(engine, lease, locate);
      leases.set(runId, lease);
      return state;
    },
    rerun: async (runId, scope) => create(await repetitionOf(engine, runId, scope)),
    queueRerun: async (runId, scope, traceParent) =>
      (await createRun(engine, await repetitionOf(engine, runId, scope, traceParent), nobody)).runId,
    state: (runId) => readState(engine, runId),
    drive: async (runId, observer, signal) => {
      refuseOtherExecutor(engine, await readState(engine, runId));
      // Also where no step is left to run: the last runner may have been killed before it had cleared away what the last one ran in.
      anticipate();
      return driveRun(engine, await leaseOf(runId), observer, signal);
    },
    recover: () => recoverRuns(engine),
    cancel: async (runId, by) => {
      const state = await readState(engine, runId);
      if (state.phase === 'finished')
        throw new SluiceError('ERR_USAGE', `Run ${runId} has already ended: ${state.verdict?.outcome ?? 'unknown'}.`);
      await engine.store.request(runId, { type: 'cancel-requested', at: engine.clock(), by, reason: 'cancelled' });
    },
    review: async (runId, review) => {
      refuseUnlessHeld(await readState(engine, runId), review);
      await engine.store.request(runId, { type: 'run-reviewed', at: engine.clock(), ...review });
    },
    approve: async (runId, step, { approved, by, comment }) => {
      refuseUnlessAsked(await readState(engine, runId), step);
      await engine.store.request(runId, { type: 'approval-given', at: engine.clock(), step, approved, by, comment });
    },
  };
}

async function repetitionOf(
  engine: EngineDependencies,
  runId: string,
  scope: RerunScope,
  traceParent?: TraceParent,
): Promise<NewRunFacts> {
  const state = await readState(engine, runId);
  const { plan, snapshot } = state;
  // Part of the trace of who asks for it now, if of any.
  const request = { ...state.request, traceParent, rerunOf: runId };
  return { request, plan, snapshot, carried: carriedSteps(state, scope) };
}

async function driveRun(
  engine: EngineDependencies,
  lease: Lease,
  observer: RunObserver,
  signal: AbortSignal,
): Promise<RunState> {
  const journal = await openJournal(engine, lease, (state, event) => observer.event(state, event));
  return new RunDriver(engine, journal, observer, () => recoverRuns(engine)).drive(signal);
}

function refuseUnlessHeld(state: RunState, { commit }: Review): void {
  const { runId, request } = state;
  if (state.phase !== 'queued' || !isHeld(state))
    throw new SluiceError('ERR_USAGE', `Run ${runId} does not wait for an approval of its commit.`);
  if (commit === request.trigger.commit) return;
  throw new SluiceError('ERR_CONFLICT', `Run ${runId} is of commit ${request.trigger.commit}, not of ${commit}.`, {
    hint: 'Look at the commit that would run, and approve that one.',
  });
}

function refuseUnlessAsked(state: RunState, step: StepId): void {
  if (state.steps.get(step)?.phase === 'awaiting-approval') return;
  const asked = [...state.steps].filter(([, { phase }]) => phase === 'awaiting-approval').map(([id]) => id);
  const hint =
    asked.length > 0 ? `Waiting for approval: ${asked.join(', ')}.` : 'No step of this run waits for an approval.';
  throw new SluiceError('ERR_USAGE', `Step "${step}" of run ${state.runId} does not wait for an approval.`, { hint });
}

/** What an attempt left behind is known to the executor alone that began it. */
function refuseOtherExecutor({ executor }: EngineDependencies, { runId, executor: name }: RunState): void {
  if (name === executor.name) return;
  throw new SluiceError('ERR_USAGE', `Run ${runId} was begun by the ${name} executor, not by ${executor.name}.`, {
    hint: `Add --executor ${name}.`,
  });
}
