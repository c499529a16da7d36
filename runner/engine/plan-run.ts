import { matchTriggers } from '../language/match-triggers.ts';
import { SluiceError } from '../model/errors.ts';
import type { ErrorCode } from '../model/errors.ts';
import { verdictOf } from '../model/outcome.ts';
import type { Reason, Verdict } from '../model/outcome.ts';
import type { Problem } from '../model/problem.ts';
import type { RunRequest } from '../model/run-request.ts';
import type { RunEvent } from '../model/run-event.ts';
import { isHeld } from '../model/run-state.ts';
import type { RunState } from '../model/run-state.ts';
import type { Lease } from '../store/store.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { PreparedRun } from './engine.ts';
import { compileRun, readFile } from './prepare-run.ts';
import { readState } from './read-run.ts';
import { storePlan, storeSnapshot } from './store-run.ts';

type Locate = (request: RunRequest) => Promise<string>;

/** What became of a request: a run to be driven, or the end of it. */
type Planned =
  | { readonly kind: 'prepared'; readonly run: PreparedRun }
  | { readonly kind: 'ended'; readonly verdict: Verdict; readonly problems: readonly Problem[] };

/** Reads the pipeline of a request as the commit has it, in the folder that `locate` answers. */
async function planRun(engine: EngineDependencies, request: RunRequest, locate: Locate): Promise<Planned> {
  try {
    const source = await engine.sources.open(await locate(request), request.trigger.commit);
    const file = await readFile(source, request);
    const match = file.ok && matchTriggers(file.value.value.on, request.trigger);
    if (match && !match.matches) return { kind: 'ended', verdict: verdictOf('not_triggered', match.why), problems: [] };
    const prepared = await compileRun(engine, source, request, file);
    return prepared.ok ? { kind: 'prepared', run: prepared.value } : refused(prepared.problems);
  } catch (error) {
    const reason = error instanceof SluiceError && reasons[error.code];
    if (!reason) throw error;
    return { kind: 'ended', verdict: verdictOf(reason, error.message), problems: [] };
  }
}

/** What of a source is the user's to mend: the repository cannot be had, or a pipeline file is too large to be looked at. */
const reasons: Readonly<Partial<Record<ErrorCode, Reason>>> = {
  ERR_SOURCE: 'source_failed',
  ERR_LIMIT: 'pipeline_invalid',
};

function refused(problems: readonly Problem[]): Planned {
  const [first, ...others] = problems;
  const place = first && `${first.file}:${first.line}:${first.column}: ${first.message}`;
  const more = others.length === 0 ? '' : ` And ${others.length} more.`;
  return { kind: 'ended', verdict: verdictOf('pipeline_invalid', place && place + more), problems };
}

/** A run that was taken this often without getting a plan brings down whoever reads its pipeline. */
const mostTries = 3;

/** Gives a queued run its plan, or its end. Does nothing to any other. */
export async function recordPlan(engine: EngineDependencies, lease: Lease, locate: Locate): Promise<RunState> {
  const state = await readState(engine, lease.runId);
  if (state.phase !== 'queued') return state;
  if (isHeld(state) && !state.cancel)
    throw new SluiceError('ERR_USAGE', `Run ${lease.runId} waits until its commit is approved.`);
  await engine.store.append(lease, state.version, await planEvents(engine, lease, state, locate)).catch(giveWay);
  return readState(engine, lease.runId).then((next) =>
    next.phase === 'queued' ? recordPlan(engine, lease, locate) : next,
  );
}

async function planEvents(
  engine: EngineDependencies,
  { runId, fence }: Lease,
  { request, cancel, review }: RunState,
  locate: Locate,
): Promise<readonly RunEvent[]> {
  const at = engine.clock();
  if (cancel) return [{ type: 'run-finished', at, verdict: verdictOf(cancel.reason) }];
  if (review?.approved === false) return [{ type: 'run-finished', at, verdict: verdictOf('rejected', review.comment) }];
  if (fence > mostTries) {
    const verdict = verdictOf('internal_error', `${mostTries} runners ended while they read its pipeline.`);
    return [{ type: 'run-finished', at, verdict }];
  }
  const planned = await planRun(engine, request, locate);
  if (planned.kind === 'prepared')
    return [await storePlan(engine, runId, at, await storeSnapshot(engine, planned.run))];
  const { problems, verdict } = planned;
  const refusal: readonly RunEvent[] = problems.length === 0 ? [] : [{ type: 'run-refused', at, problems }];
  return [...refusal, { type: 'run-finished', at, verdict }];
}

/** A wish from outside came in between, such as to cancel: it is read and decided again. */
function giveWay(error: unknown): void {
  if (!(error instanceof SluiceError && error.code === 'ERR_CONFLICT')) throw error;
}
