import { randomUUID } from 'node:crypto';
import type { Clock } from '../model/clock.ts';
import type { NoticeTarget, RunRequest, TriggerEvent } from '../model/run-request.ts';
import type { TraceParent } from '../model/trace-parent.ts';
import type { Delivery, Intake, NewDelivery, Repository } from '../store/intake.ts';
import { commandPipeline } from './command-pipeline.ts';
import type { Command } from './command-pipeline.ts';
import { readAnyRef } from './ref.ts';

export interface SubmissionDependencies {
  readonly intake: Pick<Intake, 'deliver'>;
  readonly clock: Clock;
  /** Who is told how runs of a repository go. */
  readonly notifyOf: (repository: Repository) => readonly NoticeTarget[];
  readonly newRunId: (at: number) => string;
}

export interface Submission {
  readonly repository: Repository;
  readonly trigger: TriggerEvent;
  /** Another pipeline file than the repository's. */
  readonly file?: string;
  /** A command to run in place of a pipeline file. */
  readonly command?: Command;
  /** The submitter's own name of it: what is submitted twice under one id is one run. */
  readonly id: string;
  /** See `RunRequest`. */
  readonly priority?: number | undefined;
  readonly traceParent?: TraceParent | undefined;
  /** How it came here: `api`, `websocket`, `bridge`, … */
  readonly by: string;
  /** Names the change where others may announce it too; without it every submission is a run of its own. */
  readonly change?: string;
  /** It waits for somebody who approves the commit. */
  readonly held?: boolean;
  /** See `NewDelivery.head`. */
  readonly head?: string;
}

/** What somebody who asks for a run of a commit says of it; `ref` is that by which they named it. */
export function manualTrigger({ commit, ref }: Pick<TriggerEvent, 'commit' | 'ref'>, actor: string): TriggerEvent {
  return { event: 'manual', ...readAnyRef(ref), commit, actor };
}

/** Stores a run that somebody asked for, or answers what was stored when the same was asked before. */
export function submitRun(dependencies: SubmissionDependencies, submission: Submission): Promise<Delivery> {
  return dependencies.intake.deliver(deliveryOf(dependencies, submission));
}

/** The same, to be stored by whoever calls. */
export function deliveryOf(
  { clock, notifyOf, newRunId }: Omit<SubmissionDependencies, 'intake'>,
  { repository, trigger, file, command, id, by, change, held, head, priority = 0, traceParent }: Submission,
): NewDelivery {
  const at = clock();
  const request: RunRequest = {
    repository: repository.name,
    repositoryId: repository.id,
    trigger,
    file: file ?? repository.file,
    dirty: false,
    ...(held === true && { held }),
    ...(priority !== 0 && { priority }),
    traceParent,
    ...(command && { inline: commandPipeline(repository.name, command), file: 'command' }),
    // A command says nothing of the commit as a whole.
    notify: notifyOf(repository).filter(({ kind }) => !command || kind !== 'status'),
  };
  const deliveryId = randomUUID();
  return {
    delivery: {
      id: deliveryId,
      repositoryId: repository.id,
      forgeId: id,
      event: by,
      receivedAt: at,
      reason: '',
      payload: '',
    },
    boundTo: '',
    run: { change: change ?? deliveryId, event: { type: 'run-requested', at, runId: newRunId(at), request } },
    ...(head !== undefined && { head }),
  };
}
