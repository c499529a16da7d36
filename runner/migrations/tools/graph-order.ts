/** Names so that each comes behind those it depends on; among equals in the order given. Circles and unknown names are passed over. */
export function dependencyOrder(needs: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const order = new Set<string>();
  const entered = new Set<string>();
  const visit = (name: string): void => {
    if (entered.has(name)) return;
    entered.add(name);
    for (const needed of needs.get(name) ?? []) if (needs.has(needed)) visit(needed);
    order.add(name);
  };
  for (const name of needs.keys()) visit(name);
  return [...order];
}

/** Some names and all that they depend on. */
export function withAncestors(
  names: readonly string[],
  needs: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    waiting.push(...(needs.get(name) ?? []));
  }
  return found;
}
