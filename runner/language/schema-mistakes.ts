import type { ErrorObject } from 'ajv';
import type { Json } from '../model/json.ts';
import type { Path } from './positioned.ts';
import { unknown } from './read-value.ts';
import { below, kindOf, resolve } from './schema.ts';
import type { Schema } from './schema.ts';

/** One mistake against the schema, with everything needed to explain it. */
export interface Mistake {
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly path: Path;
  readonly value: Json;
  readonly schema: Schema;
  /** Set where the name of a key is wrong, not its value. */
  readonly key?: string;
}

// In the order of the validator, not of the file: more than are shown, and few enough to compare each with every key.
export const enough = 1_000;

/** What the validator reports about `root`, reduced to one mistake per place and cause. */
export function schemaMistakes(errors: readonly ErrorObject[], root: Json, schema: Schema): readonly Mistake[] {
  return collapseForms(errors)
    .filter(({ keyword }) => keyword !== 'propertyNames')
    .slice(0, enough)
    .map((error) => locateMistake(error, root, schema))
    .filter((mistake) => !aboutUnknown(mistake));
}

/**
 * Of the forms that a value may have (`anyOf`) only the one whose type fits is of interest; no two have the same type.
 * The validator reports the forms one after the other and then the choice itself.
 */
function collapseForms(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const kept: ErrorObject[] = [];
  for (const error of errors) {
    if (error.keyword !== 'anyOf') {
      kept.push(error);
      continue;
    }
    const place = error.instancePath;
    const first = kept.findLastIndex(({ instancePath: path }) => path !== place && !path.startsWith(`${place}/`)) + 1;
    const forms = kept.splice(first);
    const misfits = forms.filter(({ keyword, instancePath }) => keyword === 'type' && instancePath === place);
    const fitting = forms.filter((form) => !misfits.includes(form));
    const types = misfits.flatMap(({ params }) => params['type'] as string);
    kept.push(...(fitting.length > 0 ? fitting : [{ ...error, keyword: 'type', params: { type: types } }]));
  }
  return kept;
}

function locateMistake(error: ErrorObject, root: Json, rootSchema: Schema): Mistake {
  const path: (string | number)[] = [];
  let value = root;
  let schema = rootSchema;
  for (const segment of error.instancePath.split('/').slice(1)) {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    const key = Array.isArray(value) ? Number(name) : name;
    path.push(key);
    schema = below(resolve(schema, kindOf(value)), key);
    value = (value as Readonly<Record<string | number, Json>>)[key] ?? null;
  }
  const { keyword, params, propertyName } = error;
  const found = { keyword, params, path, value, schema: resolve(schema, kindOf(value)) };
  return propertyName === undefined ? found : { ...found, key: propertyName };
}

function aboutUnknown({ keyword, value }: Mistake): boolean {
  return value === unknown || (keyword === 'uniqueItems' && Array.isArray(value) && value.includes(unknown));
}
