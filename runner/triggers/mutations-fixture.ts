/** The value with one part of it changed at a time: each key removed, each value swapped for each of `swaps`. */
export function* mutations(value: unknown, swaps: readonly unknown[]): Generator {
  yield* swaps;
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    // The other items of a list are like its first.
    for (const first of mutations(value[0], swaps)) yield [first, ...(value.slice(1) as unknown[])];
    return;
  }
  for (const [key, child] of Object.entries(value)) {
    yield Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
    for (const changed of mutations(child, swaps)) yield { ...value, [key]: changed };
  }
}
