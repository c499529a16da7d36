import { randomUUID } from 'node:crypto';
import type { TriggerEvent } from '../model/run-request.ts';
import { foundByLook } from '../store/intake.ts';
import type { Delivery, Repository } from '../store/intake.ts';
import type { Look, Sighting, Watch } from '../store/watch.ts';
import { headOf } from './change-of.ts';
import { readFullRef } from './ref.ts';
import { deliveryOf } from './submit-run.ts';
import type { SubmissionDependencies } from './submit-run.ts';

/** Clocks of runners may differ by this much, ms. */
const clockSkewMs = 60_000;
/** Others write to the store between two transactions. */
const batch = 100;

type LookDependencies = Omit<SubmissionDependencies, 'intake'> & { readonly watch: Watch };

/**
 * Compares where the branches and tags of a repository are (`refs`, by full name) with where they were, and stores a run
 * for each that moved without anybody telling. The first look at a repository only remembers. Answers what it stored.
 */
export async function lookAtRefs(
  dependencies: LookDependencies,
  { repository, since }: Look,
  refs: ReadonlyMap<string, string>,
  startedAt: number,
): Promise<readonly Delivery[]> {
  const { watch } = dependencies;
  const moved = movedRefs(await watch.seenRefs(repository.id), refs);
  const tell = (sighting: Sighting): Sighting => {
    const delivery = since === undefined ? undefined : tellOf(dependencies, repository, sighting);
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
): Sighting['delivery'] {
  const named = readFullRef(ref);
  if (!named || commit === '') return undefined;
  // Nobody says who pushed, so that it is nobody.
  const trigger: TriggerEvent = { event: 'push', ...named, commit, actor: '' };
  const head = headOf(trigger);
  return deliveryOf(dependencies, {
    ...{ repository, trigger, id: `${foundByLook} ${randomUUID()}`, by: foundByLook },
    ...(head !== undefined && { head }),
  });
}
