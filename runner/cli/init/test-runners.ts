import { reportFolder } from './draft.ts';

/** A command that runs tests and writes a JUnit report. */
interface Reporting {
  readonly command: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface TestRunner {
  readonly name: string;
  /** Finds the runner in a command. */
  readonly pattern: RegExp;
  /** Undefined when neither the runner nor a package of the project can write a report. */
  readonly reporting?: (command: string, dependencies: ReadonlySet<string>) => Reporting | undefined;
  /**
   * Where a command that asks for reports itself writes the JUnit one; '' when it writes others only, undefined when it
   * asks for none. Asking twice makes two reports of everything.
   */
  readonly ownReport?: (command: string) => string | undefined;
  /** How to get a report where there is none. */
  readonly advice?: string;
}

export const junitFile = `${reportFolder}/junit.xml`;

export const testRunners: readonly TestRunner[] = [
  {
    name: 'node:test',
    pattern: /\bnode\b[^|;&]* --test(?=\s|$)/,
    ownReport: (command) => {
      const reporters = valuesOf('--test-reporter', command);
      const file = valuesOf('--test-reporter-destination', command)[reporters.indexOf('junit')] ?? '';
      return reporters.length === 0 ? undefined : file.replace(/^std(out|err)$/, '');
    },
    reporting: (command) => ({
      command: command.replace(
        / --test(?=\s|$)/,
        ` --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination=${junitFile}`,
      ),
    }),
  },
  {
    name: 'vitest',
    pattern: /\bvitest\b/,
    ownReport: (command) => {
      const [file] = [...valuesOf('--outputFile', command), ...valuesOf('--outputFile.junit', command)];
      return file === undefined || valuesOf('--reporter', command).includes('junit') ? file : '';
    },
    reporting: (command) => ({
      command: `${command.replace(/\bvitest\b(?! (run|related|bench))/, 'vitest run')} --reporter=default --reporter=junit --outputFile.junit=${junitFile}`,
    }),
  },
  {
    name: 'jest',
    pattern: /\bjest\b/,
    reporting: (command, dependencies) =>
      dependencies.has('jest-junit')
        ? {
            command: `${command} --reporters=default --reporters=jest-junit`,
            env: { JEST_JUNIT_OUTPUT_FILE: junitFile },
          }
        : undefined,
    advice: 'For a JUnit report, add the package jest-junit and write this file again: sluice init --force',
  },
  {
    name: 'mocha',
    pattern: /\bmocha\b/,
    // The last reporter on the command line counts; this one comes with mocha and prints nothing.
    reporting: (command) => ({ command: `${command} --reporter xunit --reporter-option output=${junitFile}` }),
  },
  {
    name: 'tap',
    pattern: /(^|\s)tap(\s|$)/,
    reporting: (command) => ({ command: `${command} --reporter=junit --reporter-file=${junitFile}` }),
  },
  {
    name: 'bun',
    pattern: /\bbun test\b/,
    reporting: (command) => ({ command: `${command} --reporter=junit --reporter-outfile=${junitFile}` }),
  },
  { name: 'ava', pattern: /(^|\s)ava(\s|$)/ },
  { name: 'tape', pattern: /(^|\s)tape(\s|$)/ },
  { name: 'jasmine', pattern: /(^|\s)jasmine(\s|$)/ },
  { name: 'uvu', pattern: /(^|\s)uvu(\s|$)/ },
];

function valuesOf(option: string, command: string): readonly string[] {
  const words = command.split(/[\s=]+/).map((word) => word.replaceAll(/["']/g, ''));
  return words.flatMap((word, index) => (word === option ? (words[index + 1] ?? []) : []));
}
