import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One thing that was checked. */
export interface CheckedCase {
  readonly name: string;
  /** Why it is red; undefined when it is green. */
  readonly failure?: string | undefined;
}

/** Writes what was checked as a JUnit report, and makes its folder. */
export async function writeJUnit(file: string, suite: string, cases: readonly CheckedCase[]): Promise<void> {
  const red = cases.filter(({ failure }) => failure !== undefined).length;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escaped(suite)}" tests="${cases.length}" failures="${red}">`,
    ...cases.map((each) => caseElement(suite, each)),
    '</testsuite>\n',
  ];
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, lines.join('\n'));
}

function caseElement(suite: string, { name, failure }: CheckedCase): string {
  const start = `  <testcase classname="${escaped(suite)}" name="${escaped(name)}"`;
  return failure === undefined ? `${start}/>` : `${start}><failure message="${escaped(failure)}"/></testcase>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

/** Of characters that XML 1.0 cannot hold (§2.2) nothing is left but a mark. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
    .replace(/[&<>"\n]/g, (character) => entities[character] ?? '');
}
