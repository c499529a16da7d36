import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../model/errors.ts';
import type { Severity } from './finding.ts';
import { findInputs } from './find-inputs.ts';
import { judgeFindings } from './judge-findings.ts';
import type { FindingsLimit } from './judge-findings.ts';
import { judgeManifest } from './judge-manifests.ts';
import { readSarif } from './read-sarif.ts';
import type { CheckPlace } from './run-tool.ts';
import { readWaivers } from './waivers.ts';
import { writeJUnit } from './write-junit.ts';
import type { CheckedCase } from './write-junit.ts';

export interface FindingsCheck {
  /** Patterns of files, with spaces between them. */
  readonly files: string;
  readonly severity: Severity;
  /** File with waivers, '' for none. */
  readonly waivers: string;
  readonly today: string;
  /** Folder for the JUnit report. */
  readonly reports: string;
}

/** Judges reports of scanners (SARIF 2.1.0) and answers whether nothing in them is too grave. ERR_GATE for a report or waiver that cannot be read. */
export function checkReports(check: FindingsCheck, place: CheckPlace): Promise<boolean> {
  return checkFiles('findings', check, place, (text, file, limit) =>
    readSarif(text, file).flatMap(({ tool, findings }) => judgeFindings(tool, findings, limit)),
  );
}

/** Judges manifests of Kubernetes by the policy of `judgeManifest`, as `checkReports` does reports. */
export function checkManifests(check: FindingsCheck, place: CheckPlace): Promise<boolean> {
  return checkFiles('manifests', check, place, (text, file, limit) =>
    judgeFindings(file, judgeManifest(text, file), limit),
  );
}

type Judge = (text: string, file: string, limit: FindingsLimit) => readonly CheckedCase[];

async function checkFiles(suite: string, check: FindingsCheck, place: CheckPlace, judge: Judge): Promise<boolean> {
  const { files, severity, waivers: waiversFile, today, reports } = check;
  const { folder, say } = place;
  const waivers = waiversFile === '' ? [] : readWaivers(await textOf(folder, waiversFile), waiversFile);
  const found = await findInputs(files, folder);
  if (found.length === 0)
    throw new SluiceError('ERR_USAGE', 'no file is named', { hint: 'Give patterns of the files to check.' });
  const cases: CheckedCase[] = [];
  for (const file of found) cases.push(...judge(await textOf(folder, file), file, { severity, waivers, today }));
  await writeJUnit(join(folder, reports, `${suite}.xml`), suite, cases);
  for (const { name, failure } of cases) say(failure === undefined ? name : `${name}: ${failure}`);
  return cases.every(({ failure }) => failure === undefined);
}

async function textOf(folder: string, file: string): Promise<string> {
  try {
    return await readFile(join(folder, file), 'utf8');
  } catch (error) {
    throw new SluiceError('ERR_GATE', `${file} cannot be read`, {
      cause: error,
      hint: 'Its path is relative to the folder of the step.',
    });
  }
}
