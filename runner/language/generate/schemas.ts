import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AnySchemaObject } from 'ajv';

export const schemaFolder = fileURLToPath(new URL('../../../schemas/', import.meta.url));

/** A schema without what is said for people only. */
export const readSchema = (name: 'config' | 'pipeline' | 'workflow'): AnySchemaObject =>
  JSON.parse(readFileSync(`${schemaFolder}${name}.schema.json`, 'utf8'), withoutRemarks) as AnySchemaObject;

// Properties of the language have such names too, but their values are schemas.
const withoutRemarks = (key: string, value: unknown): unknown =>
  (key === 'description' && typeof value === 'string') ||
  (key === 'examples' && Array.isArray(value)) ||
  key === 'x-variable'
    ? undefined
    : value;
