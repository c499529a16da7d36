import { Readable } from 'node:stream';
import { canonicalJson } from '../model/json.ts';
import type { Json } from '../model/json.ts';
import type { Plan, StepId } from '../model/plan.ts';
import type { CarriedStep, RunEvent } from '../model/run-event.ts';
import type { RunRequest } from '../model/run-request.ts';
import type { Lease, Owner } from '../store/store.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { PreparedRun } from './engine.ts';
import { newRunId } from './new-run-id.ts';

export interface NewRunFacts {
  readonly request: RunRequest;
  readonly plan: Plan;
  readonly snapshot: string;
  readonly carried: Readonly<Record<StepId, CarriedStep>>;
}

export async function storeSnapshot(
  engine: EngineDependencies,
  { request, plan, source }: PreparedRun,
): Promise<NewRunFacts> {
  const { sha256 } = await engine.blobs.put(source.tar());
  return { request, plan, snapshot: sha256, carried: {} };
}

/** Stores a new run, to be driven by its owner. */
export async function createRun(
  engine: EngineDependencies,
  facts: NewRunFacts,
  owner: Owner,
): Promise<{ readonly runId: string; readonly lease: Lease }> {
  const { request, plan } = facts;
  const at = engine.clock();
  const runId = newRunId(at);
  const { branch, commit, event } = request.trigger;
  const row = {
    runId,
    repository: request.repository,
    pipeline: plan.pipeline,
    branch,
    commit,
    event,
    priority: request.priority ?? 0,
    createdAt: at,
    group: plan.concurrency?.group ?? '',
  };
  const created = await storePlan(engine, runId, at, facts);
  return { runId, lease: await engine.store.createRun({ row, event: created }, owner) };
}

type RunCreated = RunEvent & { readonly type: 'run-created' };

/** The event that makes the plan the one of the run. */
export async function storePlan(
  engine: EngineDependencies,
  runId: string,
  at: number,
  facts: NewRunFacts,
): Promise<RunCreated> {
  const { request, plan, snapshot, carried } = facts;
  const text = canonicalJson(plan as unknown as Json);
  const { sha256 } = await engine.blobs.put(Readable.from([text], { objectMode: false }));
  return {
    type: 'run-created',
    at,
    runId,
    request,
    pipeline: plan.pipeline,
    group: plan.concurrency?.group ?? '',
    plan: sha256,
    snapshot,
    executor: engine.executor.name,
    carried,
  };
}
