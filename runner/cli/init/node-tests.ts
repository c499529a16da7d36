import type { PackageManager } from './package-manager.ts';
import type { Package } from './read-package.ts';
import { junitFile, testRunners } from './test-runners.ts';

/** How the tests of a Node project run, with a JUnit report where that takes no new package. */
export interface NodeTests {
  /** '' when it is not known. */
  readonly runner: string;
  readonly commands: readonly string[];
  readonly junit?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly comment?: string;
}

const placeholder = 'no test specified';

/** Undefined when package.json has no test script. `linted` are commands that the lint step runs already. */
export function nodeTests(
  { scripts, dependencies }: Package,
  manager: PackageManager,
  linted: readonly string[],
): NodeTests | undefined {
  const script = ['test', 'test:unit', 'tests'].find((name) => scripts.has(name));
  if (script === undefined || scripts.get(script)?.includes(placeholder)) return undefined;
  const whole = { runner: '', commands: [`${manager.run} ${script}`] };
  const commands = commandsOf(script, scripts);
  const runner = testRunners.find(({ pattern }) => commands?.some((command) => pattern.test(command)));
  if (!runner || !commands) return whole;
  const index = commands.findIndex((command) => runner.pattern.test(command));
  const command = commands[index] ?? '';
  const own = runner.ownReport?.(command);
  if (own !== undefined) return { ...whole, runner: runner.name, ...(own !== '' && { junit: own }) };
  const reporting = runner.reporting?.(command, dependencies);
  const advice = runner.advice === undefined ? {} : { comment: runner.advice };
  if (!reporting) return { ...whole, runner: runner.name, ...advice };
  const wanted = commands.with(index, reporting.command).filter((command) => !linted.includes(command));
  return {
    runner: runner.name,
    // As npm does it for scripts.
    commands: ['export PATH="$PWD/node_modules/.bin:$PATH"', ...wanted],
    junit: junitFile,
    ...(reporting.env && { env: reporting.env }),
  };
}

const callOfScript = /^(?:npm|pnpm|yarn|bun) (?:run )?(?:-s |--silent )?([\w:.-]+)$/;
const deepest = 5;

/** The commands of a script one by one, calls of other scripts resolved; undefined where a shell does more than that. */
export function commandsOf(
  script: string,
  scripts: ReadonlyMap<string, string>,
  depth = 0,
): readonly string[] | undefined {
  const text = scripts.get(script);
  if (text === undefined || depth > deepest || /[|;<>`]|&(?!&)(?<!&&)/.test(text)) return undefined;
  const commands: string[] = [];
  for (const command of [...(scripts.has(`pre${script}`) ? [`npm run pre${script}`] : []), ...text.split('&&')]) {
    const called = callOfScript.exec(command.trim())?.[1];
    const inner =
      called !== undefined && scripts.has(called) ? commandsOf(called, scripts, depth + 1) : [command.trim()];
    if (!inner) return undefined;
    commands.push(...inner);
  }
  return commands;
}
