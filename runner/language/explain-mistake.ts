import type { Json } from '../model/json.ts';
import { SluiceError } from '../model/errors.ts';
import { nearest } from './did-you-mean.ts';
import { fixText } from './fix-text.ts';
import { fixType, typeName } from './fix-type.ts';
import type { Path } from './positioned.ts';
import type { ProblemCode } from './problem-codes.ts';
import type { Mistake } from './schema-mistakes.ts';
import { below, definitionWith, kindOf, nameOf, resolve, typesOf } from './schema.ts';
import { fixUnknownKey, unknownKey } from './unknown-key.ts';
import { listOf, pathText, scalarText, shorten } from './wording.ts';

/** What is to be said about a mistake, and where: at the value, unless the key is named. */
export interface Explanation {
  readonly code: ProblemCode;
  readonly path: Path;
  readonly part?: 'key';
  readonly message: string;
  readonly hint?: string;
}

type Explain = (mistake: Mistake) => Omit<Explanation, 'path'> & { readonly path?: Path };

/** A mistake in the words of the language, by the keyword of the schema that it is against. */
export function explainMistake(mistake: Mistake): Explanation {
  const { keyword, path, key } = mistake;
  const explain = explanations[keyword];
  if (!explain) throw new SluiceError('ERR_INTERNAL', `The schema keyword ${keyword} has no explanation.`);
  const place = key === undefined ? { path } : { path: [...path, key], part: 'key' as const };
  return { ...place, ...explain(mistake) };
}

/** One entry for each keyword of the schemas. `type` also answers for a value that has none of several forms. */
export const explanations: Readonly<Record<string, Explain>> = {
  additionalProperties: (mistake) => ({
    code: 'unknown-key',
    path: [...mistake.path, unknownKey(mistake)],
    part: 'key',
    message: `${pathText(mistake.path)} has no key \`${shorten(unknownKey(mistake))}\`.`,
    hint: fixUnknownKey(mistake),
  }),
  required: missingKey,
  type: wrongType,
  enum: notAllowed,
  pattern: badText,
  minLength: tooFew,
  minItems: tooFew,
  minProperties: tooFew,
  maxLength: tooMany,
  maxItems: tooMany,
  maxProperties: tooMany,
  minimum: ({ path, params }) => outOfRange(path, `must be at least ${String(params['limit'])}`),
  maximum: ({ path, params }) => outOfRange(path, `can be ${String(params['limit'])} at most`),
  uniqueItems: ({ path, params }) => ({
    code: 'duplicate-item',
    path: [...path, Math.max(Number(params['i']), Number(params['j']))],
    message: `${pathText(path)} has this entry twice.`,
    hint: 'Delete one of the two.',
  }),
};

function missingKey({ path, params, schema }: Mistake): ReturnType<Explain> {
  const key = String(params['missingProperty']);
  const property = below(schema, key);
  const description = property.description ?? resolve(property, 'scalar').description;
  return {
    code: 'missing-key',
    part: 'key',
    message: `${pathText(path)} lacks the key \`${key}\`.`,
    hint: `Add \`${key}: …\`.${description === undefined ? '' : ` ${description}`}`,
  };
}

function wrongType(mistake: Mistake): ReturnType<Explain> {
  const { path, value, params } = mistake;
  const types = [params['type'] as string | readonly string[]].flat();
  if (value === null) return tooFew(mistake);
  return {
    code: 'wrong-type',
    message: `${pathText(path)} must be ${typeName(types)}, not ${formOf(value)}.`,
    hint: fixType({ path, value, types, schema: mistake.schema }),
  };
}

function formOf(value: Json): string {
  const kind = kindOf(value);
  return kind === 'scalar' ? `\`${shorten(scalarText(value))}\`` : typeName([kind]);
}

function notAllowed(mistake: Mistake): ReturnType<Explain> {
  const { path, value, schema } = mistake;
  if (value === null) return tooFew(mistake);
  if (typeof value !== 'string') return wrongType({ ...mistake, params: { type: 'string' } });
  const allowed = schema.enum ?? [];
  const meant = nearest(value, allowed);
  const question = meant === undefined ? '' : `Did you mean \`${meant}\`? `;
  return {
    code: 'not-allowed',
    message: `${pathText(path)} cannot be \`${shorten(value)}\`.`,
    hint: `${question}Allowed ${allowed.length > 1 ? 'are' : 'is only'} ${listOf(allowed)}.`,
  };
}

function badText({ path, key, value, params }: Mistake): ReturnType<Explain> {
  const text = key ?? scalarText(value);
  const definition = definitionWith(String(params['pattern']));
  const isName = ['name', 'variable', 'axis'].includes(nameOf(definition));
  const fixed = fixText(text, definition);
  const subject = key === undefined ? pathText(path) : 'A name here';
  return {
    code: isName ? 'bad-name' : 'bad-format',
    message: `${subject} cannot be \`${shorten(text)}\`.`,
    hint: `${fixed.length === 0 ? '' : `Write ${listOf(fixed, 'or')}. `}${definition.description ?? ''}`,
  };
}

function tooFew({ path, value, schema }: Mistake): ReturnType<Explain> {
  const what = value === '' || value === null ? 'a value behind it' : 'an entry';
  const emptyText = typesOf(schema).includes('string') && schema.minLength === undefined;
  const otherwise = emptyText ? 'an empty text is `""`' : 'or delete the key';
  return { code: 'empty-value', message: `${pathText(path)} is empty.`, hint: `Write ${what}, ${otherwise}.` };
}

function tooMany({ path, key, value, params, keyword }: Mistake): ReturnType<Explain> {
  const subject = key === undefined ? pathText(path) : `\`${shorten(key)}\``;
  const size =
    keyword === 'maxLength' ? Array.from(key ?? scalarText(value)).length : Object.keys(value as object).length;
  const unit = keyword === 'maxLength' ? 'characters' : 'entries';
  return { code: 'too-long', message: `${subject} has ${size} ${unit}; ${String(params['limit'])} are allowed.` };
}

function outOfRange(path: Path, rule: string): ReturnType<Explain> {
  return { code: 'out-of-range', message: `${pathText(path)} ${rule}.` };
}
