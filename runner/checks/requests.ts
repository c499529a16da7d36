import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../model/errors.ts';
import { findInputs } from './find-inputs.ts';
import { runTool } from './run-tool.ts';
import type { CheckPlace, ToolEnd } from './run-tool.ts';

export interface RequestsCheck {
  /** Patterns of Postman collections (2.x), '' for none. */
  readonly postman: string;
  /** Patterns of HTTP files with assertions of httpyac, '' for none. */
  readonly http: string;
  /** What the variable `baseUrl` of both is. */
  readonly url: string;
  /** Folder for a JUnit report of each file. */
  readonly reports: string;
}

/** One file to its JUnit report. */
type Send = (file: string, report: string) => Promise<ToolEnd>;

/**
 * Sends the requests of every file, one file after the other, and answers whether all were answered as they should be. A file without a single assertion is red: it
 * proves nothing, and that is what an empty collection or a misspelt assertion looks like. ERR_GATE when a file cannot be read.
 */
export async function checkRequests(check: RequestsCheck, place: CheckPlace): Promise<boolean> {
  const { postman, http, url, reports } = check;
  await mkdir(join(place.folder, reports), { recursive: true });
  const sendCollection: Send = (file, report) => {
    const reporters = ['--reporters', 'cli,junit', '--reporter-junit-export', report, '--color', 'off'];
    return runTool('newman', ['run', file, '--env-var', `baseUrl=${url}`, ...reporters], place);
  };
  const sendHttpFile: Send = async (file, report) => {
    const args = ['send', file, '--all', '--junit', '--output', 'none', '--no-color', '--var', `baseUrl=${url}`];
    const end = await runTool('httpyac', args, place);
    await writeFile(join(place.folder, report), end.stdout);
    return { ...end, stdout: '' };
  };
  const collections = (await findInputs(postman, place.folder)).map((file) => ({ file, send: sendCollection }));
  const httpFiles = (await findInputs(http, place.folder)).map((file) => ({ file, send: sendHttpFile }));
  if (collections.length + httpFiles.length === 0) {
    throw new SluiceError('ERR_USAGE', 'no file with requests is named', {
      hint: 'Give `--postman`, `--http` or both.',
    });
  }
  let isGreen = true;
  for (const { file, send } of [...collections, ...httpFiles]) {
    const report = join(reports, `${file.replace(/[^\w.-]+/g, '-')}.xml`);
    const { exitCode, stdout, stderr } = await send(file, report);
    const told = `${stdout}${exitCode === 0 ? '' : stderr}`.trim();
    if (told !== '') place.say(told);
    const fault = exitCode === 0 ? await emptiness(join(place.folder, report)) : `red (exit code ${exitCode})`;
    place.say(`${file}: ${fault ?? 'as it should be'}`);
    isGreen &&= fault === undefined;
  }
  return isGreen;
}

/** Why a report of a tool that is content proves nothing all the same; undefined when a test is in it. */
async function emptiness(report: string): Promise<string | undefined> {
  const xml = await readFile(report, 'utf8').catch(() => '');
  const hasTest = xml.replaceAll(/<!\[CDATA\[.*?\]\]>/gs, '').includes('<testcase');
  return hasTest
    ? undefined
    : 'red: no assertion was made, so it proves nothing (`pm.test(…)` in collections, `?? …` in HTTP files)';
}
