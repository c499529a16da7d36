import { randomUUID } from 'node:crypto';
import { SluiceError } from '../model/errors.ts';
import { isUntrusted } from '../model/run-request.ts';
import type { TriggerEvent } from '../model/run-request.ts';
import { foundByLook } from '../store/intake.ts';
import type { Delivery, Repository } from '../store/intake.ts';
import type { Look, Sighting, Watch } from '../store/watch.ts';
import { headOf } from './change-of.ts';
import { pullNumberOf, pullTrigger } from './pull-refs.ts';
import type { SeenRemote } from './pull-refs.ts';
import { isRefName, readFullRef } from './ref.ts';
import { deliveryOf } from './submit-run.ts';
import type { SubmissionDependencies } from './submit-run.ts';

/** Clocks of runners may differ by this much, ms. */
const clockSkewMs = 60_000;
/** Between two looks (`SLUICE_POLL_SECONDS`). */
const longestPauseMs = 86_400_000;
/** Others write to the store between two transactions. */
const batch = 100;

type LookDependencies = Omit<SubmissionDependencies, 'intake'> & { readonly watch: Watch };

/** What a look found: what was seen last, read before the remote was asked, so that a slower look takes back nothing of a quicker one. */
export interface Sight {
  readonly seen: ReadonlyMap<string, string>;
  readonly remote: SeenRemote;
  /** ms. */
  readonly startedAt: number;
}

/** Stands for a ref in what was seen: heads of pull requests were looked at before. It comes last, behind all of them. */
const pullsSeen = 'refs/pull requests';

/**
 * Compares where the branches, tags and pull requests of a repository are (`refs`, by full name) with where they were, and stores a run
 * for each that moved without anybody telling. The first look at a repository only remembers, and so does the first at its pull requests. Answers what it stored.
 * ERR_SOURCE for a remote that has lost all its refs at once: to believe that would make news of each when they are back.
 */
export async function lookAtRefs(
  dependencies: LookDependencies,
  { repository, since = Infinity }: Look,
  { seen, remote, startedAt }: Sight,
): Promise<readonly Delivery[]> {
  const { watch } = dependencies;
  if (remote.refs.size === 0 && [...seen.keys()].some((ref) => ref !== pullsSeen))
    throw new SluiceError('ERR_SOURCE', `${repository.cloneUrl} has no ref any more`, {
      hint: 'Check the clone URL of the repository. Once it has refs again, what moved is run.',
    });
  const moved = movedRefs(seen, new Map([...remote.refs, [pullsSeen, 'seen']]));
  const tell = (sighting: Sighting): Sighting => {
    const isNew = since === Infinity || (pullNumberOf(sighting.ref) !== undefined && !seen.has(pullsSeen));
    const delivery = isNew ? undefined : tellOf(dependencies, repository, sighting, remote);
    return { ...sighting, ...(delivery && { delivery }) };
  };
  // A clock that was set back makes the last look one of the future. It was a day ago at most.
  const announcedSince = (since > startedAt ? startedAt - longestPauseMs : since) - clockSkewMs;
  const stored: Delivery[] = [];
  for (let index = 0; index < moved.length; index += batch) {
    const sightings = moved.slice(index, index + batch).map((sighting) => tell(sighting));
    stored.push(...(await watch.recordSightings(repository.id, sightings, announcedSince)));
  }
  await watch.finishLook(repository.id, startedAt);
  return stored;
}

function movedRefs(seen: ReadonlyMap<string, string>, refs: ReadonlyMap<string, string>): readonly Sighting[] {
  const names = new Set([...seen.keys(), ...refs.keys()]);
  return [...names]
    .map((ref) => ({ ref, was: seen.get(ref) ?? '', commit: refs.get(ref) ?? '' }))
    .filter(({ was, commit }) => was !== commit);
}

function tellOf(
  dependencies: LookDependencies,
  repository: Repository,
  { ref, commit }: Sighting,
  remote: SeenRemote,
): Sighting['delivery'] {
  const trigger = commit === '' ? undefined : triggerOf(ref, commit, remote);
  if (!trigger || (isUntrusted(trigger) && repository.forks === 'ignore')) return undefined;
  const head = headOf(trigger);
  return deliveryOf(dependencies, {
    ...{ repository, trigger, held: isUntrusted(trigger) && repository.forks === 'approve' },
    ...{ id: `${foundByLook} ${randomUUID()}`, by: foundByLook },
    ...(head !== undefined && { head }),
  });
}

function triggerOf(ref: string, commit: string, remote: SeenRemote): TriggerEvent | undefined {
  const number = pullNumberOf(ref);
  if (number !== undefined) return pullTrigger(number, ref, commit, remote);
  const named = isRefName(ref) ? readFullRef(ref) : undefined;
  // Nobody says who pushed, so that it is nobody.
  return named && { event: 'push', ...named, commit, actor: '' };
}
