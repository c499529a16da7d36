/** Every node below a value, with its kind: the grammar wraps each as `{Kind: {…}}`. */
export function* nodesBelow(
  value: unknown,
): Generator<readonly [kind: string, node: Readonly<Record<string, unknown>>]> {
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) yield* nodesBelow(item);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value) as Iterable<[string, unknown]>) {
    if (/^[A-Z]/.test(key) && typeof item === 'object' && item !== null) {
      yield [key, item as Readonly<Record<string, unknown>>];
    }
    yield* nodesBelow(item);
  }
}

/** Names of the functions that an expression calls, without schema. */
export function functionsIn(value: unknown): readonly string[] {
  return [...nodesBelow(value)]
    .filter(([kind]) => kind === 'FuncCall')
    .map(([, { funcname }]) => lastName(funcname).toLowerCase());
}

function lastName(parts: unknown): string {
  const last: unknown = Array.isArray(parts) ? parts.at(-1) : undefined;
  const { String: word } = (last ?? {}) as { readonly String?: { readonly sval?: string } };
  return word?.sval ?? '';
}
