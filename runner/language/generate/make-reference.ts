import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { Json } from '../../model/json.ts';
import { configSchema, definitions, nameOf, pipelineSchema, typesOf, workflowSchema } from '../schema.ts';
import type { Schema } from '../schema.ts';
import { listOf } from '../wording.ts';

/** The page of every key of the language, made from what the schemas say about it. */
export function makeReference(): string {
  const parts = [
    intro('reference-intro.md'),
    section('A pipeline file', '##', pipelineSchema),
    ...maps(pipelineSchema.$defs),
    section('A workflow file', '##', workflowSchema),
    ...maps(workflowSchema.$defs),
    forms({ ...pipelineSchema.$defs, ...workflowSchema.$defs }),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The page of every key of a configuration file. */
export function makeConfigReference(): string {
  const { properties = {}, $defs } = configSchema;
  const sections = Object.entries(properties).filter(([, schema]) => schema.properties);
  const single = Object.fromEntries(Object.entries(properties).filter(([, schema]) => !schema.properties));
  const parts = [
    intro('config-intro.md'),
    section('Keys at the top', '##', { ...configSchema, properties: single }),
    ...sections.map(([name, schema]) => section(`\`${name}\``, '##', schema)),
    forms({ ...$defs, quantity: definitions['quantity'] ?? {}, name: definitions['name'] ?? {} }),
  ];
  return `${parts.join('\n\n')}\n`;
}

const intro = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8').trimEnd();

const forms = (schemas: Readonly<Record<string, Schema>>) =>
  `## Forms of values\n\n${Object.entries(schemas).filter(isForm).map(form).join('\n')}`;

type Definition = readonly [name: string, schema: Schema];

const isForm = ([, schema]: Definition) => schema.properties === undefined;

const form = ([name, { description = '' }]: Definition) =>
  `- <a id="${anchor(name)}"></a>**${words(name)}**: ${description}`;

const maps = (schemas: Readonly<Record<string, Schema>>) =>
  Object.entries(schemas)
    .filter((definition) => !isForm(definition))
    .map(([name, schema]) => section(words(name), '###', schema));

function section(title: string, level: string, schema: Schema): string {
  const keys = Object.entries(schema.properties ?? {}).map(([key, property]) => describeKey(key, property, schema));
  return [`${level} ${title}`, schema.description, ...keys].join('\n\n');
}

function describeKey(key: string, property: Schema, { required = [] }: Schema): string {
  const facts = [
    typeText(property),
    ...(required.includes(key) ? ['required'] : []),
    ...(property['x-variable'] === undefined ? [] : [`variable \`${property['x-variable']}\``]),
    ...(property.default === undefined ? [] : [`default \`${JSON.stringify(property.default).replaceAll('"', '')}\``]),
  ];
  const description = property.description ?? resolved(property).description ?? '';
  const examples = (property.examples ?? []).map((example) => `\n\n\`\`\`yaml\n${yamlText(key, example)}\`\`\``);
  return `**\`${key}\`** (${facts.join(', ')})<br>\n${description}${examples.join('')}`;
}

const resolved = (schema: Schema): Schema => definitions[schema.$ref?.split('/').at(-1) ?? ''] ?? schema;

function typeText(schema: Schema): string {
  const target = resolved(schema);
  if (target !== schema) return `[${words(nameOf(target)).toLowerCase()}](#${anchor(nameOf(target))})`;
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' or ');
  if (schema.enum) return listOf(schema.enum, 'or');
  if (schema.items) return `list of ${typeText(schema.items)}`;
  if (typeof schema.additionalProperties === 'object') return `map by name of ${typeText(schema.additionalProperties)}`;
  const [type = ''] = typesOf(schema);
  if (type === 'integer') return `whole number from ${schema.minimum ?? 0} to ${schema.maximum ?? '…'}`;
  return { string: 'text', boolean: '`true` or `false`' }[type] ?? 'map';
}

const words = (name: string) =>
  name.charAt(0).toUpperCase() + name.slice(1).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const anchor = (name: string) => words(name).toLowerCase().replaceAll(' ', '-');

/** On one line where that is as short as people would write it. */
function yamlText(key: string, value: Json): string {
  const flow = stringify({ [key]: value }, { lineWidth: 0, collectionStyle: 'flow' });
  const line = flow.slice(2, -2).trim().replaceAll('[ ', '[').replaceAll(' ]', ']');
  return line.length > 100 || /\n|\\n/.test(line) ? stringify({ [key]: value }, { lineWidth: 0 }) : `${line}\n`;
}
