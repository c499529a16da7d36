import type { ErrorObject } from 'ajv';
import type { Json } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import { explainMistake } from './explain-mistake.ts';
import type { Positioned } from './positioned.ts';
import { problem } from './problem.ts';
import { schemaMistakes } from './schema-mistakes.ts';
import type { Mistake } from './schema-mistakes.ts';
import type { Schema } from './schema.ts';
import { meantKey } from './unknown-key.ts';

/** What the validator reports about a file, as one problem per mistake. */
export function explainSchemaErrors(
  source: Positioned<Json>,
  schema: Schema,
  errors: readonly ErrorObject[],
): readonly Problem[] {
  const mistakes = schemaMistakes(errors, source.value, schema);
  const meant = new Set(mistakes.filter(isUnknownKey).map((mistake) => placeOf(mistake, meantKey(mistake))));
  return mistakes
    .filter((mistake) => !(mistake.keyword === 'required' && meant.has(placeOf(mistake, missingKey(mistake)))))
    .map((mistake) => {
      const { code, path, part, message, hint } = explainMistake(mistake);
      return problem(source, source.locate(path, part), code, message, hint);
    });
}

const isUnknownKey = ({ keyword }: Mistake) => keyword === 'additionalProperties';
const missingKey = ({ params }: Mistake) => String(params['missingProperty']);
const placeOf = ({ path }: Mistake, key: string | undefined) => JSON.stringify([...path, key ?? null]);
