import { isMap, isScalar, isSeq } from 'yaml';
import type { ParsedNode } from 'yaml';
import type { Location } from '../model/problem.ts';
import { placeWithin } from './place-within.ts';
import type { Positioned, Span } from './positioned.ts';
import type { Text } from './read-text.ts';
import { keyText } from './read-value.ts';

interface Entry {
  readonly key?: ParsedNode;
  readonly value: ParsedNode | null;
}

/** How to find the place of every key and value below `root`; each map is indexed when it is first asked for. */
export function locator(source: Text, root: ParsedNode): Positioned<unknown>['locate'] {
  const indexes = new WeakMap<ParsedNode, ReadonlyMap<string | number, Entry>>();
  const child = (parent: ParsedNode | null, segment: string | number): Entry | undefined => {
    if (parent === null) return undefined;
    const index = indexes.get(parent) ?? indexEntries(parent);
    indexes.set(parent, index);
    return index.get(segment);
  };
  return (path, part = 'value', within) => {
    let entry: Entry = { value: root };
    for (const segment of path) {
      const next = child(entry.value, segment);
      if (!next) break;
      entry = next;
    }
    return placeOf(source, entry, part, within);
  };
}

function indexEntries(node: ParsedNode): ReadonlyMap<string | number, Entry> {
  const entries = new Map<string | number, Entry>();
  if (isSeq(node)) for (const [index, value] of node.items.entries()) entries.set(index, { value });
  if (!isMap(node)) return entries;
  for (const { key, value } of node.items) {
    const name = keyText(key);
    // Of duplicates the first counts, as it does for the value.
    if (name !== undefined && !entries.has(name)) entries.set(name, { key, value });
  }
  return entries;
}

function placeOf(source: Text, { key, value }: Entry, part: 'key' | 'value', within?: Span): Location {
  const written = value !== null && value.range[1] > value.range[0];
  const firstKey = isMap(value) ? value.items[0]?.key : undefined;
  const node = part === 'key' || !written ? (key ?? firstKey ?? value) : value;
  if (node === null) return source.at(0);
  if (within && node === value && isScalar(value)) return placeWithin(source, value, within);
  return source.at(node.range[0], node.range[1]);
}
