import { randomUUID } from 'node:crypto';
import type { TriggerEvent } from '../model/run-request.ts';
import type { TraceParent } from '../model/trace-parent.ts';
import type { Intake, Repository } from '../store/intake.ts';
import { manualTrigger, submitRun } from './submit-run.ts';
import type { SubmissionDependencies } from './submit-run.ts';

export interface RequestDependencies extends SubmissionDependencies {
  readonly intake: Pick<Intake, 'deliver' | 'repositoryNamed'>;
  /** What a branch, a tag or a commit id of the repository means now. ERR_SOURCE when it means nothing. */
  readonly resolve: (repository: Repository, revision: string) => Promise<Pick<TriggerEvent, 'commit' | 'ref'>>;
}

export interface RunWish {
  /** Name of a repository that the server knows. */
  readonly repository: string;
  /** Commit, branch or tag. */
  readonly commit: string;
  /** Path of the pipeline file. */
  readonly file: string;
  readonly actor: string;
  /** See `RunRequest`. */
  readonly priority?: number | undefined;
  readonly traceParent?: TraceParent | undefined;
}

/**
 * Stores a run that somebody asks for, and answers its id; it waits in the queue, as those that a forge announces do.
 * Undefined for a repository that is not known.
 */
export async function requestRun(
  dependencies: RequestDependencies,
  { commit, actor, ...wish }: RunWish,
): Promise<string | undefined> {
  const repository = await dependencies.intake.repositoryNamed(wish.repository);
  if (!repository) return undefined;
  const trigger = manualTrigger(await dependencies.resolve(repository, commit), actor);
  return (await submitRun(dependencies, { ...wish, repository, trigger, id: randomUUID(), by: 'api' })).runId;
}
