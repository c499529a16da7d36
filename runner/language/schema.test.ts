import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import type { Json } from '../model/json.ts';
import { explanations } from './explain-mistake.ts';
import { habits } from './habits.ts';
import { configSchema, definitions, pipelineSchema, resolve, typesOf, workflowSchema } from './schema.ts';
import type { Schema } from './schema.ts';

const roots = { ...definitions, pipeline: pipelineSchema, workflow: workflowSchema, config: configSchema };

/** Every schema within another one, itself included. */
function within(schema: Schema): readonly Schema[] {
  const inner = [
    ...Object.values(schema.properties ?? {}),
    ...(typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : []),
    ...(schema.items ? [schema.items] : []),
    ...(schema.anyOf ?? []),
  ];
  return [schema, ...inner.flatMap(within)];
}

const all = Object.values(roots).flatMap(within);

test('every key has a description of its own or of its definition, and an example', (t) => {
  for (const [name, schema] of Object.entries(roots)) {
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      t.truthy(property.description ?? resolve(property, 'object').description, `${name}.${key}`);
      t.truthy(property.examples?.length, `${name}.${key}`);
    }
  }
});

test('every setting of the configuration has a variable of its own', (t) => {
  const settings = within(configSchema).flatMap(({ properties = {} }) =>
    Object.entries(properties).filter(([, schema]) => !schema.properties),
  );
  const variables = settings.map(([, schema]) => schema['x-variable']);
  t.true(variables.length > 30);
  t.is(new Set(variables).size, variables.length);
  t.false(variables.includes(undefined));
});

test('every example and every default fits its key', (t) => {
  const ajv = new Ajv2020({ allowUnionTypes: true }).addVocabulary(['x-variable']);
  ajv.addSchema([pipelineSchema, workflowSchema, configSchema]);
  for (const [name, schema] of Object.entries(roots)) {
    const file = workflowSchema.$defs[name] ? 'workflow' : configSchema.$defs[name] ? 'config' : 'pipeline';
    const home =
      name in { pipeline: 0, workflow: 0, config: 0 } ? `${name}.schema.json#` : `${file}.schema.json#/$defs/${name}`;
    for (const [key, { examples = [], default: standard }] of Object.entries(schema.properties ?? {})) {
      const values: readonly Json[] = standard === undefined ? examples : [...examples, standard];
      for (const value of values) t.true(ajv.validate(`${home}/properties/${key}`, value), `${name}.${key}`);
    }
  }
});

test('of several forms of a value no two have the same type, so that the one that was meant is known', (t) => {
  const choices = all.flatMap(({ anyOf }) => (anyOf ? [anyOf] : []));
  t.true(choices.length >= 5);
  for (const forms of choices) {
    const types = forms.flatMap((form) => typesOf(resolve(form, 'scalar')));
    t.is(new Set(types).size, types.length);
    t.is(types.length, forms.length);
  }
});

test('every pattern stands in a definition of its own, which says in words what it asks for', (t) => {
  const inDefinitions = Object.values(definitions).flatMap(({ pattern }) => pattern ?? []);
  t.deepEqual(
    all.flatMap(({ pattern }) => pattern ?? []),
    inDefinitions,
  );
  t.is(new Set(inDefinitions).size, inDefinitions.length);
});

test('habits are keys that do not exist, and mean keys that do', (t) => {
  for (const [name, keys] of Object.entries(habits)) {
    const properties = Object.keys((roots as Readonly<Record<string, Schema>>)[name]?.properties ?? {});
    t.true(properties.length > 0, name);
    for (const [key, { means }] of Object.entries(keys)) {
      t.false(properties.includes(key), `${name}.${key}`);
      t.true(means === undefined || properties.includes(means), `${name}.${key}`);
    }
  }
});

const silent = [
  '$schema',
  '$id',
  '$defs',
  '$ref',
  'title',
  'description',
  'default',
  'examples',
  'properties',
  'items',
  'anyOf',
  'propertyNames',
  'x-variable',
];

test('every keyword that can refuse a value is explained, and no other', (t) => {
  const used = new Set(all.flatMap((schema) => Object.keys(schema)).filter((keyword) => !silent.includes(keyword)));
  t.deepEqual([...used].sort(), Object.keys(explanations).sort());
});
