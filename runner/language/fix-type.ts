import type { Json } from '../model/json.ts';
import type { Path } from './positioned.ts';
import { definitions, kindOf, nameOf } from './schema.ts';
import type { Kind, Schema } from './schema.ts';
import { inQuotes, scalarText, shorten } from './wording.ts';

type JsonMap = Readonly<Record<string, Json>>;

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  array: 'a list',
  object: 'a map',
  integer: 'a whole number',
  number: 'a number',
  boolean: '`true` or `false`',
};

/** "a text, a list or a map" */
export function typeName(types: readonly string[]): string {
  const names = types.filter((type) => type !== 'null').map((type) => typeNames[type] ?? type);
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}` : names.join('');
}

/** A value of the wrong type, and the schema of its place. */
export interface Misfit {
  readonly path: Path;
  readonly value: Json;
  readonly schema: Schema;
  readonly types: readonly string[];
}

/** What to write instead. */
export function fixType({ path, value, schema, types }: Misfit): string {
  if (path.length === 0)
    return 'A file is a map of `key: value` lines; that of a pipeline starts with `pipeline: NAME`.';
  const kind = kindOf(value);
  const key = path.findLast((segment) => typeof segment === 'string') ?? '';
  const fix = fixesByKey[`${kind} ${key}`]?.(value) ?? fixes[`${kind} to ${types[0] ?? ''}`]?.({ key, value, schema });
  return fix ?? `Write ${typeName(types)}.`;
}

interface Place {
  readonly key: string;
  readonly value: Json;
  readonly schema: Schema;
}

const stepsByName = () => 'Steps stand by name, without `- `: `steps: { lint: { run: npm run lint } }`.';

function triggersByName(value: Json): string | undefined {
  const known = Object.keys(definitions['triggers']?.properties ?? {});
  const meant = [value].flat().filter((name): name is string => typeof name === 'string' && known.includes(name));
  return meant.length === 0 ? undefined : `Write \`on: { ${meant.map((name) => `${name}: {}`).join(', ')} }\`.`;
}

const fixesByKey: Readonly<Record<string, (value: Json) => string | undefined>> = {
  'array steps': stepsByName,
  'array finally': stepsByName,
  'scalar on': triggersByName,
  'array on': triggersByName,
  'array env': () => 'Write names and values as a map: `env: { NAME: value }`.',
  'array services': () => 'Services stand by name: `services: { db: { image: postgres:16 } }`.',
  'object artifacts': () => 'Write the paths directly: `artifacts: [dist/**]`.',
  'scalar fail-fast': () => 'Every name here is an axis. All cells run to their end; delete the key.',
  'object matrix': () => 'Write the axes directly below the `matrix` of the step.',
};

const fixes: Readonly<Record<`${Kind} to ${string}`, (place: Place) => string>> = {
  'scalar to array': ({ key, value }) => {
    const text = scalarText(value);
    if (/^-\S/.test(text)) return 'Put a space behind the `-` of each entry.';
    return `Write \`${key}: [${text
      .split(/\s*,\s*/)
      .map(inQuotes)
      .join(', ')}]\`.`;
  },
  'object to array': ({ key, value }) => {
    const [only, ...others] = Object.entries(value as JsonMap);
    if (only && others.length === 0 && Array.isArray(only[1])) return `Write the list directly below \`${key}\`.`;
    return `Make it a list: put \`- \` before each entry below \`${key}\`.`;
  },
  'array to object': ({ key }) => `Delete each \`- \`: what stands below \`${key}\` has names, \`name: value\`.`,
  'scalar to object': ({ key, value, schema }) => {
    const text = scalarText(value);
    const [, name, rest] = /^([\w-]+):(\S.*)$/.exec(text) ?? [];
    if (name !== undefined && rest !== undefined) return `Put a space behind the colon: \`${name}: ${shorten(rest)}\`.`;
    if (/^(push|pull_request)$/.test(key)) return `Write \`${key}: { branches: [${inQuotes(text)}] }\`.`;
    const inner = nameOf(schema) === 'step' ? 'run' : schema.required?.length === 1 ? schema.required[0] : undefined;
    if (inner !== undefined) return `Write \`${key}: { ${inner}: ${inQuotes(text)} }\`.`;
    return `Write \`${key}: { ${Object.keys(schema.properties ?? { name: {} })[0] ?? 'name'}: … }\`.`;
  },
  'array to string': ({ key, value }) => {
    const [item, ...others] = value as readonly Json[];
    if (others.length === 0 && typeof item === 'string') return `Write \`${key}: ${inQuotes(item)}\`.`;
    return `Write one text; several lines go below \`${key}: |\`, without \`- \`.`;
  },
  'object to string': ({ key }) =>
    `Write a text behind \`${key}:\`, in quotes if it starts with \`{\` or has a colon with a space in it.`,
  'scalar to integer': ({ key }) => `Write digits only: \`${key}: 3\`.`,
  'scalar to boolean': ({ key, value }) => {
    const meant = /^(y|yes|on|true|1)$/i.test(scalarText(value)) ? 'true' : 'false';
    return `Write \`${key}: ${meant}\`.`;
  },
};
