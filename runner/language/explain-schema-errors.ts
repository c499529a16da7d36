import type { ErrorObject } from 'ajv';
import type { Json } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import type { Positioned } from './positioned.ts';
import { problem } from './problem.ts';
import type { Schema } from './schema.ts';

/** What the validator reports, one problem per mistake. */
export function explainSchemaErrors(
  source: Positioned<Json>,
  _schema: Schema,
  errors: readonly ErrorObject[],
): readonly Problem[] {
  return errors.map((error) => {
    const path = error.instancePath.split('/').slice(1);
    return problem(source, source.locate(path), 'unknown-key', JSON.stringify(error));
  });
}
