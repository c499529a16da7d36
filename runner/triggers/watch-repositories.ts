import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../model/errors.ts';
import type { Logger } from '../model/logger.ts';
import type { TriggerEvent } from '../model/run-request.ts';
import type { Intake, Repository } from '../store/intake.ts';
import type { DueSchedule, Look, Schedule, Watch } from '../store/watch.ts';
import { fireSchedule } from './fire-schedule.ts';
import { lookAtRefs } from './look-at-refs.ts';
import type { SeenRemote } from './pull-refs.ts';
import { nextTime } from './schedule-times.ts';
import type { SubmissionDependencies } from './submit-run.ts';

type Head = Pick<TriggerEvent, 'commit' | 'ref'>;

export interface WatchDependencies extends SubmissionDependencies {
  readonly intake: Pick<Intake, 'deliver' | 'repository'>;
  readonly watch: Watch;
  /** Where the branches, tags and pull requests of a repository are now, and its default branch. */
  readonly refsOf: (repository: Repository) => Promise<SeenRemote>;
  /** The schedules of the pipeline file as a commit has it. */
  readonly schedulesOf: (repository: Repository, head: Head) => Promise<readonly Schedule[]>;
  readonly logger: Logger;
}

/** How often it is looked for what is due. */
const tickMs = 1_000;
/** How long a repository is left alone whose server did not answer, and the store that failed. */
const pauseMs = 60_000;
/** Git servers that are asked at once: one that is silent holds up none of the others. */
const capacity = 10;

/**
 * Looks at the refs of each repository once in `everyMs`, and starts the runs of schedules, until the signal comes and what
 * is under way has ended. Rejects never.
 */
export async function watchRepositories(
  dependencies: WatchDependencies,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  const underWay = new Map<string, Promise<void>>();
  const resting = new Map<string, number>();
  const begin = (key: string, repositoryId: string, work: () => Promise<void>): void => {
    const ended = work()
      .catch((error: unknown) => {
        resting.set(key, dependencies.clock() + pauseMs);
        dependencies.logger.warn('a repository could not be watched', { repositoryId, error: messageOf(error) });
      })
      .finally(() => underWay.delete(key));
    underWay.set(key, ended);
  };
  while (!signal.aborted) {
    try {
      await beginDue(dependencies, everyMs, { underWay, resting, begin });
    } catch (error) {
      dependencies.logger.error('it cannot be found out what is due', { error: messageOf(error) });
      await pause(pauseMs / 10, signal);
    }
    await pause(tickMs, signal);
  }
  await Promise.all(underWay.values());
}

interface Work {
  readonly underWay: ReadonlyMap<string, Promise<void>>;
  /** Until when what failed is left alone. */
  readonly resting: Map<string, number>;
  readonly begin: (key: string, repositoryId: string, work: () => Promise<void>) => void;
}

async function beginDue(
  dependencies: WatchDependencies,
  everyMs: number,
  { underWay, resting, begin }: Work,
): Promise<void> {
  const { watch, clock } = dependencies;
  const now = clock();
  for (const [key, until] of resting) if (until <= now) resting.delete(key);
  for (const due of await watch.dueSchedules(now)) {
    const key = JSON.stringify(due);
    if (underWay.has(key) || resting.has(key) || underWay.size >= capacity) continue;
    begin(key, due.repositoryId, () => fire(dependencies, due));
  }
  while (underWay.size < capacity) {
    const look = await watch.takeLook(now, now - everyMs, [...underWay.keys()]);
    if (!look) return;
    begin(look.repository.id, look.repository.id, () => lookAt(dependencies, look));
  }
}

async function fire(dependencies: WatchDependencies, due: DueSchedule): Promise<void> {
  const repository = await dependencies.intake.repository(due.repositoryId);
  const head = repository && (await dependencies.refsOf(repository)).head;
  if (head) await fireSchedule(dependencies, repository, due, head);
}

async function lookAt(dependencies: WatchDependencies, look: Look): Promise<void> {
  const { watch, clock, logger, refsOf, schedulesOf } = dependencies;
  const { repository, schedulesOf: known } = look;
  const startedAt = clock();
  const seen = await watch.seenRefs(repository.id);
  const remote = await refsOf(repository);
  const { head } = remote;
  for (const { runId } of await lookAtRefs(dependencies, look, { seen, remote, startedAt }))
    logger.info('found a change that nobody announced', { repositoryId: repository.id, runId });
  if (!head || head.commit === known) return;
  const schedules = await schedulesOf(repository, head);
  const planned = schedules.flatMap((schedule) => {
    const nextAt = nextTime(schedule, startedAt);
    return nextAt === undefined ? [] : [{ ...schedule, nextAt }];
  });
  await watch.keepSchedules(repository.id, head.commit, planned);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => 'no longer wanted');
}
