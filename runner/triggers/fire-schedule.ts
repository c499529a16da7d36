import type { TriggerEvent } from '../model/run-request.ts';
import type { Delivery, Repository } from '../store/intake.ts';
import type { DueSchedule, Watch } from '../store/watch.ts';
import { readAnyRef } from './ref.ts';
import { latestTime, nextTime } from './schedule-times.ts';
import { submitRun } from './submit-run.ts';
import type { SubmissionDependencies } from './submit-run.ts';

/** A schedule that never comes again is asked about in a hundred years. */
const never = 100 * 365 * 86_400_000;

/**
 * Stores the run of a schedule whose time has come, for the `head` of the default branch. Of times that nobody was there
 * for only the latest is run. The time names the delivery, so that of several runners one starts the run.
 */
export async function fireSchedule(
  dependencies: SubmissionDependencies & { readonly watch: Pick<Watch, 'postponeSchedule'> },
  repository: Repository,
  due: DueSchedule,
  head: Pick<TriggerEvent, 'commit' | 'ref'>,
): Promise<Delivery> {
  const now = dependencies.clock();
  const time = latestTime(due, now) ?? due.nextAt;
  const id = `schedule ${due.cron} ${due.timezone} ${new Date(time).toISOString()}`;
  const trigger: TriggerEvent = { event: 'schedule', ...readAnyRef(head.ref), commit: head.commit, actor: '' };
  const delivery = await submitRun(dependencies, { repository, trigger, id, by: 'schedule', change: id });
  await dependencies.watch.postponeSchedule(due, nextTime(due, now) ?? now + never);
  return delivery;
}
