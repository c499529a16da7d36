import leven from 'leven';

const maxDistance = 3;

/** "Did you mean `x`?" for the nearest of the names that exist, undefined when none is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const found = nearest(name, candidates);
  return found === undefined ? undefined : `Did you mean \`${found}\`?`;
}

/** The name that `name` was probably meant to be. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.min(maxDistance, Math.ceil(name.length / 3));
  let found: string | undefined;
  let least = limit + 1;
  for (const candidate of candidates) {
    const distance = swapped(name, candidate)
      ? 1
      : leven(name.toLowerCase(), candidate.toLowerCase(), { maxDistance: least });
    if (distance < least) [found, least] = [candidate, distance];
  }
  return found;
}

/** Letters in the wrong order are one slip of the fingers, though two edits. */
const swapped = (a: string, b: string) => a.length === b.length && letters(a) === letters(b);

const letters = (text: string) => Array.from(text.toLowerCase()).sort().join('');
