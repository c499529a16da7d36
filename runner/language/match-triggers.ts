import type { TriggerEvent } from '../model/run-request.ts';
import { matchesPatterns } from './match-pattern.ts';
import type { Triggers } from './pipeline-file.generated.ts';

export type TriggerMatch =
  | { readonly matches: true; readonly trigger: TriggerEvent['event'] }
  /** `why` is a sentence for the log of events. */
  | { readonly matches: false; readonly why: string };

/** Whether an event starts a run of a file with these triggers. A manual start always does; without `on` nothing else. */
export function matchTriggers(on: Triggers | undefined, event: TriggerEvent): TriggerMatch {
  const why = refusal(on, event);
  return why === undefined ? { matches: true, trigger: event.event } : { matches: false, why };
}

function refusal(on: Triggers | undefined, event: TriggerEvent): string | undefined {
  if (event.event === 'manual') return undefined;
  // `push:` without anything is null and means every push.
  if (on?.[event.event] === undefined) return `The file has no \`${event.event}\` trigger.`;
  if (event.event === 'schedule') return undefined;
  if (event.event === 'push') return refusedRef(on.push ?? {}, event) ?? refusedPaths(on.push?.paths, event);
  return refusedBase(on.pull_request?.branches, event) ?? refusedPaths(on.pull_request?.paths, event);
}

interface RefFilters {
  readonly branches?: readonly string[];
  readonly tags?: readonly string[];
}

/** A filter for one kind of ref only leaves the other kind out; without any filter both are in. */
function refusedRef({ branches, tags }: RefFilters, event: TriggerEvent): string | undefined {
  if (!branches && !tags) return undefined;
  const [patterns, kind, name] = event.tag === '' ? [branches, 'branch', event.branch] : [tags, 'tag', event.tag];
  if (name !== '' && patterns && matchesPatterns(patterns, name)) return undefined;
  return `The ${kind} \`${name}\` fits none of the patterns of \`push\`.`;
}

function refusedBase(branches: readonly string[] | undefined, event: TriggerEvent): string | undefined {
  const base = event.pullRequest?.base ?? '';
  if (!branches || matchesPatterns(branches, base)) return undefined;
  return `The target branch \`${base}\` fits none of the patterns of \`pull_request\`.`;
}

function refusedPaths(paths: readonly string[] | undefined, event: TriggerEvent): string | undefined {
  if (!paths || !event.changedPaths || event.changedPaths.some((path) => matchesPatterns(paths, path)))
    return undefined;
  return 'No changed path fits the patterns of `paths`.';
}
