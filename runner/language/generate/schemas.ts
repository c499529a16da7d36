import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AnySchemaObject } from 'ajv';

export const schemaFolder = fileURLToPath(new URL('../../../schemas/', import.meta.url));

export const readSchema = (name: 'pipeline' | 'workflow'): AnySchemaObject =>
  JSON.parse(readFileSync(`${schemaFolder}${name}.schema.json`, 'utf8')) as AnySchemaObject;
