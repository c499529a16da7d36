import type { ErrorCode } from 'yaml';
import type { Problem } from '../model/problem.ts';
import { problem } from './problem.ts';
import type { Text } from './read-text.ts';

export interface YamlError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** What the YAML library reports, in plain words; of what follows from one mistake only the first. */
export function explainSyntaxErrors(source: Text, errors: readonly YamlError[]): readonly Problem[] {
  return errors.map((error) => problem(source, source.at(...error.pos), 'yaml-syntax', error.message));
}
