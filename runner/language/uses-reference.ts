/** What a `uses` points to. */
export type UsesReference =
  | { readonly kind: 'gate'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'remote' };

const remote = /^git\+(https|ssh):\/\/[^\s@/][^\s]*?\/\/[^\s@]+@([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Undefined when the text has none of the three forms. */
export function parseUses(uses: string): UsesReference | undefined {
  if (/^[a-z0-9][a-z0-9-]*$/.test(uses)) return { kind: 'gate', name: uses };
  if (/^\.\/(?!.*(^|\/)\.\.?(\/|$))[^\\\0\n]+$/.test(uses)) return { kind: 'file', path: uses.slice(2) };
  return remote.test(uses) ? { kind: 'remote' } : undefined;
}
