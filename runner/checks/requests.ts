import { createReadStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../model/errors.ts';
import type { TestCase } from '../model/result.ts';
import type { JUnitReport } from '../results/junit/junit-report.ts';
import { parseJUnit } from '../results/junit/read-junit.ts';
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
 * Sends the requests of every file, one file after the other, and answers whether all were answered as they should be. A file is red without a report of its own that can be
 * read to its end, and without a single assertion: it proves nothing, and that is what an empty collection or a misspelt assertion looks like. ERR_GATE when a
 * pattern matches nothing.
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
  const names = reportNames([...collections, ...httpFiles].map(({ file }) => file));
  let isGreen = true;
  for (const [index, { file, send }] of [...collections, ...httpFiles].entries()) {
    const report = join(reports, names[index] ?? '');
    // One that was there before, such as a committed one, is nobody's proof.
    await rm(join(place.folder, report), { force: true });
    place.say(`${file}: its requests are sent`);
    const end = await send(file, report);
    const { fault, red } = await judge(end, join(place.folder, report));
    const told = `${end.stdout}${end.exitCode === 0 ? '' : end.stderr}`.trim();
    if (told !== '') place.say(told);
    if (end.stdout === '') for (const line of red) place.say(line);
    place.say(`${file}: ${fault ?? 'as it should be'}`);
    isGreen &&= fault === undefined;
  }
  return isGreen;
}

/** Names of report files, that of each file with requests; `api/a.http` and `api-a.http` have two. */
function reportNames(files: readonly string[]): readonly string[] {
  const plain = files.map((file) => file.replaceAll(/[^\w.-]+/g, '-'));
  return plain.map((name, index) => {
    const before = plain.slice(0, index).filter((other) => other === name).length;
    return `${name}${before === 0 ? '' : `-${before + 1}`}.xml`;
  });
}

interface Judged {
  /** Why the file is red; undefined where everything is as it should be. */
  readonly fault: string | undefined;
  /** What was not as it should be, a line each. */
  readonly red: ReadonlySet<string>;
}

/** By the exit code and by the report: neither is enough, because a tool may end well that did nothing, or was cut off. */
async function judge({ exitCode }: ToolEnd, path: string): Promise<Judged> {
  // httpyac tells a request that cannot be sent twice.
  const red = new Set<string>();
  const note = (cases: readonly TestCase[]): void => {
    for (const { suites, name, outcome, message = name } of cases)
      if (outcome === 'failed' || outcome === 'errored')
        red.add([...new Set([suites.at(-1) ?? '', name, message])].filter((part) => part !== '').join(': '));
  };
  try {
    const report = await parseJUnit(createReadStream(path), path, note);
    return { fault: exitCode === 0 ? faultOf(report) : `red (exit code ${exitCode})`, red };
  } catch {
    return { fault: `red (exit code ${exitCode}): it left no report`, red };
  }
}

/** Why a report of a tool that is content proves nothing all the same. */
function faultOf({ fault, totals, redCases, redElsewhere }: JUnitReport): string | undefined {
  if (fault !== undefined) return `red: its report cannot be read: ${fault}`;
  const wrong = [...redCases, ...redElsewhere];
  if (wrong.length > 0) return `red: its report says so, though the tool ended well: ${wrong.join(', ')}`;
  if (totals.tests > totals.skipped) return undefined;
  return 'red: no assertion was made, so it proves nothing (`pm.test(…)` in collections, `?? …` in HTTP files)';
}
