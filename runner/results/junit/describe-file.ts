import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { messageOf, SluiceError } from '../../model/errors.ts';
import type { JUnitVerdict } from './junit-report.ts';
import { parseJUnit } from './read-junit.ts';

/** What `sluice junit FILE --json` prints per file. */
export interface JUnitDescription {
  readonly file: string;
  readonly verdict: JUnitVerdict;
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
  readonly mismatch: readonly string[];
  /** Why the verdict is `reject` or `not-junit`, with the place. */
  readonly fault?: string;
}

/** Describes one file; ERR_NOT_FOUND, ERR_USAGE for a folder, or ERR_UNREADABLE when it cannot be opened or read. */
export async function describeJUnitFile(path: string): Promise<JUnitDescription> {
  try {
    const { file, verdict, totals, mismatch, fault } = await parseJUnit(createReadStream(path), path);
    const { tests, failures, errors, skipped } = totals;
    return { file, verdict, tests, failures, errors, skipped, mismatch, ...(fault === undefined ? {} : { fault }) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') throw new SluiceError('ERR_NOT_FOUND', `there is no file ${path}`, { cause: error });
    if (code === 'EISDIR')
      throw new SluiceError('ERR_USAGE', `${path} is a folder`, {
        hint: `Name the reports in it: sluice junit ${join(path, '*.xml')}`,
        cause: error,
      });
    throw new SluiceError('ERR_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
