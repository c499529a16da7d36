/** A step with the names that it needs; needs that do not exist are left out. */
export interface GraphNode {
  readonly name: string;
  readonly needs: readonly string[];
}

export type Ordered =
  | { readonly ok: true; readonly names: readonly string[] }
  /** Each cycle as a path that ends where it begins. */
  | { readonly ok: false; readonly cycles: readonly (readonly string[])[] };

/** Every step behind those that it needs, and otherwise in the order given. */
export function orderSteps(nodes: readonly GraphNode[]): Ordered {
  const needs = new Map(nodes.map((node) => [node.name, node.needs]));
  const done = new Set<string>();
  const path = new Set<string>();
  const cycles: (readonly string[])[] = [];

  function visit(name: string): void {
    if (done.has(name)) return;
    if (path.has(name)) {
      const names = [...path];
      cycles.push([...names.slice(names.indexOf(name)), name]);
      return;
    }
    path.add(name);
    for (const need of needs.get(name) ?? []) visit(need);
    path.delete(name);
    done.add(name);
  }

  for (const node of nodes) visit(node.name);
  return cycles.length > 0 ? { ok: false, cycles } : { ok: true, names: [...done] };
}
