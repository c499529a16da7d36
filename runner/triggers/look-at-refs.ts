import { randomUUID } from 'node:crypto';
import { isUntrusted } from '../model/run-request.ts';
import type { TriggerEvent } from '../model/run-request.ts';
import { foundByLook } from '../store/intake.ts';
import type { Delivery, Repository } from '../store/intake.ts';
import type { Look, Sighting, Watch } from '../store/watch.ts';
import { headOf } from './change-of.ts';
import { pullNumberOf, pullTrigger } from './pull-refs.ts';
import type { SeenRemote } from './pull-refs.ts';
import { readFullRef } from './ref.ts';
import { deliveryOf } from './submit-run.ts';
import type { SubmissionDependencies } from './submit-run.ts';

/** Clocks of runners may differ by this much, ms. */
const clockSkewMs = 60_000;
/** Others write to the store between two transactions. */
const batch = 100;

type LookDependencies = Omit<SubmissionDependencies, 'intake'> & { readonly watch: Watch };

/** Stands for a ref in what was seen: heads of pull requests were looked at before. It comes last, behind all of them. */
const pullsSeen = 'refs/pull requests';

/**
 * Compares where the branches, tags and pull requests of a repository are (`refs`, by full name) with where they were, and stores a run
 * for each that moved without anybody telling. The first look at a repository only remembers, and so does the first at its pull requests. Answers what it stored.
 */
export async function lookAtRefs(
  dependencies: LookDependencies,
  { repository, since }: Look,
  remote: SeenRemote,
  startedAt: number,
): Promise<readonly Delivery[]> {
  const { watch } = dependencies;
  const seen = await watch.seenRefs(repository.id);
  const moved = movedRefs(seen, new Map([...remote.refs, [pullsSeen, 'seen']]));
  const tell = (sighting: Sighting): Sighting => {
    const isNew = since === undefined || (pullNumberOf(sighting.ref) !== undefined && !seen.has(pullsSeen));
    const delivery = isNew ? undefined : tellOf(dependencies, repository, sighting, remote);
    return { ...sighting, ...(delivery && { delivery }) };
  };
  const stored: Delivery[] = [];
  for (let index = 0; index < moved.length; index += batch) {
    const sightings = moved.slice(index, index + batch).map((sighting) => tell(sighting));
    stored.push(...(await watch.recordSightings(repository.id, sightings, (since ?? startedAt) - clockSkewMs)));
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
  const named = readFullRef(ref);
  // Nobody says who pushed, so that it is nobody.
  return named && { event: 'push', ...named, commit, actor: '' };
}
