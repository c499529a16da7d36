import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { ParsedNode, Scalar, YAMLMap } from 'yaml';
import type { Json } from '../model/json.ts';
import { below, resolve, typesOf } from './schema.ts';
import type { Schema } from './schema.ts';

/** Stands for what an alias or a tag would make: nothing can be said about such a value. */
export const unknown: Json = Object.freeze({});

export type RefusedKey = 'yaml-merge-key' | 'yaml-key' | 'duplicate-key';
/** Told of each key that YAML allows and the language does not, and of the map that lacks it. */
export type RefuseKey = (code: RefusedKey, node: ParsedNode, key: string, map: Json) => void;

/**
 * YAML nodes to the value that the schema describes. Every scalar is the text that was written; it becomes a number, a
 * boolean or null only where the schema asks for one, and null where nothing was written at all.
 */
export function readValue(node: ParsedNode | null, schema: Schema, refuseKey: RefuseKey): Json {
  if (isAlias(node) || node?.tag !== undefined) return unknown;
  if (isMap(node)) return readMap(node, resolve(schema, 'object'), refuseKey);
  if (isSeq(node)) {
    const items = resolve(schema, 'array').items ?? {};
    return node.items.map((item) => readValue(item, items, refuseKey));
  }
  return node === null ? null : readScalar(node, typesOf(resolve(schema, 'scalar')));
}

function readMap(map: YAMLMap.Parsed, schema: Schema, refuseKey: RefuseKey): Json {
  const entries: Record<string, Json> = {};
  let named = true;
  for (const { key, value } of map.items) {
    const name = keyText(key);
    named &&= isScalar(key);
    if (isAlias(key)) continue;
    if (name === undefined || name === '__proto__') refuseKey('yaml-key', key, name ?? '', entries);
    else if (name === '<<') refuseKey('yaml-merge-key', key, name, entries);
    else if (Object.hasOwn(entries, name)) refuseKey('duplicate-key', key, name, entries);
    else entries[name] = readValue(value, below(schema, name), refuseKey);
  }
  // `{{ x }}` is such a map, and was never meant to be one.
  return named ? entries : unknown;
}

/** Keys are texts; undefined for everything else, an empty key included. */
export function keyText(key: unknown): string | undefined {
  return isScalar(key) && typeof key.value === 'string' && key.value !== '' ? key.value : undefined;
}

/** The failsafe schema makes every scalar a string, or null where nothing was written. */
export const textOf = (node: Scalar): string => (typeof node.value === 'string' ? node.value : '');

function readScalar(node: Scalar, types: readonly string[]): Json {
  const text = textOf(node);
  if (node.type === 'PLAIN' && (text === '' || (types.includes('null') && /^(~|null)$/.test(text)))) return null;
  if (types.includes('integer') && /^-?(0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true';
  return text;
}
