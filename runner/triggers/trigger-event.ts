import type { TriggerEvent } from '../model/run-request.ts';
import type { Trigger } from './forge.ts';

/** What conditions and the event log know of a trigger. */
export function toTriggerEvent(trigger: Trigger): TriggerEvent {
  const { event, ref, branch, tag, commit, actor, pullRequest, changedPaths } = trigger;
  return {
    event,
    ref,
    branch,
    tag,
    commit,
    actor,
    ...(pullRequest && {
      pullRequest: {
        number: pullRequest.number,
        base: pullRequest.base,
        fork: pullRequest.fork,
        ...(pullRequest.outsider && { outsider: true }),
      },
    }),
    ...(changedPaths && { changedPaths }),
  };
}
