import leven from 'leven';

const maxDistance = 3;

/** "Did you mean `x`?" for the nearest of the names that exist, undefined when none is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.min(maxDistance, Math.ceil(name.length / 3));
  let nearest: string | undefined;
  let least = limit + 1;
  for (const candidate of candidates) {
    const distance = leven(name.toLowerCase(), candidate.toLowerCase(), { maxDistance: least });
    if (distance < least) [nearest, least] = [candidate, distance];
  }
  return nearest === undefined ? undefined : `Did you mean \`${nearest}\`?`;
}
