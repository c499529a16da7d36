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
  const meant = new Set<string | undefined>(
    mistakes.filter(({ keyword }) => keyword === 'additionalProperties').map(meantPlace),
  );
  return mistakes
    .filter((mistake) => !meant.has(lackingPlace(mistake)))
    .map((mistake) => {
      const { code, path, part, message, hint } = explainMistake(mistake);
      return problem(source, source.locate(path, part), code, message, hint);
    });
}

/** Where the key belongs that an unknown one was meant to be: nobody need be told that it is missing or empty there. */
const meantPlace = (mistake: Mistake) => JSON.stringify([...mistake.path, meantKey(mistake)]);

function lackingPlace({ keyword, path, value, params }: Mistake): string | undefined {
  if (keyword === 'required') return JSON.stringify([...path, params['missingProperty']]);
  return value === null ? JSON.stringify(path) : undefined;
}
