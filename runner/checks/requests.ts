import { mkdir, writeFile } from 'node:fs/promises';
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

/** Sends the requests of every file, one file after the other, and answers whether all were answered as they should be. ERR_GATE when a file cannot be read. */
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
    const { exitCode, stdout, stderr } = await send(file, join(reports, `${file.replace(/[^\w.-]+/g, '-')}.xml`));
    const told = `${stdout}${exitCode === 0 ? '' : stderr}`.trim();
    if (told !== '') place.say(told);
    place.say(exitCode === 0 ? `${file}: as it should be` : `${file}: red (exit code ${exitCode})`);
    isGreen &&= exitCode === 0;
  }
  return isGreen;
}
