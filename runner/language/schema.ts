import type { Json } from '../model/json.ts';
import config from '../../schemas/config.schema.json' with { type: 'json' };
import pipeline from '../../schemas/pipeline.schema.json' with { type: 'json' };
import workflow from '../../schemas/workflow.schema.json' with { type: 'json' };

/** The part of JSON Schema that the schemas use to say what stands where. */
export interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: Json;
  readonly examples?: readonly Json[];
  /** In the configuration: the environment variable that says the same. */
  readonly 'x-variable'?: string;
}

interface SchemaFile extends Schema {
  readonly $defs: Readonly<Record<string, Schema>>;
}

export const pipelineSchema: SchemaFile = pipeline;
export const workflowSchema: SchemaFile = workflow;
export const configSchema: SchemaFile = config;
export const definitions: Readonly<Record<string, Schema>> = {
  ...pipelineSchema.$defs,
  ...workflowSchema.$defs,
  ...configSchema.$defs,
};

const names: ReadonlyMap<Schema, string> = new Map([
  ...Object.entries(definitions).map(([name, schema]) => [schema, name] as const),
  [pipelineSchema, 'pipeline'],
  [workflowSchema, 'workflow'],
  [configSchema, 'config'],
]);

/** The name of a definition, `''` for a schema without one. */
export const nameOf = (schema: Schema): string => names.get(schema) ?? '';

/** The definition that asks for a pattern; each has one of its own. */
export const definitionWith = (pattern: string): Schema =>
  Object.values(definitions).find((schema) => schema.pattern === pattern) ?? {};

export type Kind = 'object' | 'array' | 'scalar';

export const kindOf = (value: Json | undefined): Kind =>
  Array.isArray(value) ? 'array' : typeof value === 'object' && value !== null ? 'object' : 'scalar';

const resolved = {
  object: new WeakMap<Schema, Schema>(),
  array: new WeakMap<Schema, Schema>(),
  scalar: new WeakMap<Schema, Schema>(),
};

/** `schema` with its reference followed and, of several forms, the one for this kind of value; `{}` when none fits. */
export function resolve(schema: Schema, kind: Kind): Schema {
  const known = resolved[kind].get(schema);
  if (known) return known;
  const found = follow(schema, kind);
  resolved[kind].set(schema, found);
  return found;
}

function follow(schema: Schema, kind: Kind): Schema {
  if (schema.anyOf) return resolve(schema.anyOf.find((form) => fits(resolve(form, kind), kind)) ?? {}, kind);
  const name = schema.$ref?.slice(schema.$ref.lastIndexOf('/') + 1);
  return name === undefined ? schema : resolve(definitions[name] ?? {}, kind);
}

export const typesOf = (schema: Schema): readonly string[] => [schema.type ?? []].flat();

function fits(schema: Schema, kind: Kind): boolean {
  const types = typesOf(schema);
  if (kind !== 'scalar') return types.includes(kind);
  return types.some((type) => type !== 'object' && type !== 'array') || schema.enum !== undefined;
}

/** The schema of what stands under a key, or of the items of a list. `schema` is resolved, the answer is not. */
export function below(schema: Schema, key: string | number): Schema {
  if (typeof key === 'number') return schema.items ?? {};
  const named = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
  return named ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {});
}
