import { createHash } from 'node:crypto';
import type { TestCase } from '../model/result.ts';

/** The same for the same case in every run: 32 hex digits. */
export function caseIdOf(
  repository: string,
  step: string,
  { suites, className, name, file }: Pick<TestCase, 'suites' | 'className' | 'name' | 'file'>,
): string {
  const text = JSON.stringify([repository, step, suites, className, name, file]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
