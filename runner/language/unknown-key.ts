import type { Json } from '../model/json.ts';
import { nearest } from './did-you-mean.ts';
import { habits } from './habits.ts';
import type { Mistake } from './schema-mistakes.ts';
import { configSchema, definitions, kindOf, nameOf, pipelineSchema, workflowSchema } from './schema.ts';
import type { Schema } from './schema.ts';
import { listOf } from './wording.ts';

export const unknownKey = ({ params }: Mistake): string => String(params['additionalProperty']);

/** The key that was meant by one that does not exist, as far as that can be told. */
export function meantKey(mistake: Mistake): string | undefined {
  const { schema } = mistake;
  const key = unknownKey(mistake);
  const habit = habitOf(schema, key);
  if (habit) return habit.means;
  return nearest(key, allowedKeys(schema)) ?? (stepOutside(mistake) && 'steps');
}

/** What to write instead of a key that does not exist. */
export function fixUnknownKey(mistake: Mistake): string {
  const { schema } = mistake;
  const key = unknownKey(mistake);
  const habit = habitOf(schema, key);
  if (habit) return habit.hint;
  const meant = nearest(key, allowedKeys(schema));
  if (meant !== undefined) return `Did you mean \`${meant}\`?`;
  return stepOutside(mistake) ?? belongsTo(schema, key) ?? `Allowed are ${listOf(allowedKeys(schema))}.`;
}

const allowedKeys = (schema: Schema): readonly string[] => Object.keys(schema.properties ?? {});

function habitOf(schema: Schema, key: string) {
  const ours = habits[nameOf(schema)];
  return ours && Object.hasOwn(ours, key) ? ours[key] : undefined;
}

/** Job names stand at the top of a GitLab file, and of ours when the indentation was lost. */
function stepOutside(mistake: Mistake): string | undefined {
  const { schema, value } = mistake;
  if (schema !== pipelineSchema && schema !== workflowSchema) return undefined;
  const key = unknownKey(mistake);
  const inner = (value as Readonly<Record<string, Json>>)[key];
  if (kindOf(inner) !== 'object') return undefined;
  const stepKeys = ['script', 'stage', ...allowedKeys(definitions['step'] ?? {})];
  if (!Object.keys(inner as object).some((name) => stepKeys.includes(name))) return undefined;
  return `If \`${key}\` is a step, indent it and all that belongs to it below \`steps:\`.`;
}

type Homes = readonly (readonly [schema: Schema | undefined, name: string])[];

const sections = Object.entries(configSchema.properties ?? {}).filter(([, schema]) => schema.properties);

const configHomes: Homes = [
  [configSchema, 'the top of the file'],
  ...sections.map(([name, schema]) => [schema, `\`${name}\``] as const),
];

const isConfig = (schema: Schema): boolean => configHomes.some(([home]) => home === schema);

const homes: Homes = [
  [definitions['step'], 'a step'],
  [pipelineSchema, 'the top of a pipeline file'],
  [definitions['triggers'], '`on`'],
  [definitions['pushTrigger'], '`on.push`'],
  [definitions['service'], 'a service'],
  [definitions['retry'], '`retry`'],
];

/** Keys that exist elsewhere are mostly indented too much or too little. */
function belongsTo(schema: Schema, key: string): string | undefined {
  const ours = isConfig(schema) ? configHomes : homes;
  const home = ours.find(([schema]) => schema?.properties && Object.hasOwn(schema.properties, key));
  return home && `\`${key}\` belongs to ${home[1]}; check the indentation.`;
}
