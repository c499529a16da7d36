import type { Argument, Command, Option } from 'commander';
import type { Session } from './session.ts';

/** What may stand in place of the last word, given the words before it. */
export async function candidatesFor(
  words: readonly string[],
  program: Command | null,
  session: Session,
): Promise<readonly string[]> {
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const command = program?.commands.find((other) => before.includes(other.name()));
  const offered = command ? await inCommand(command, before, last, session) : topLevel(program, last);
  return offered.filter((candidate) => candidate.startsWith(last));
}

function topLevel(program: Command | null, last: string): readonly string[] {
  if (!program) return [];
  if (last.startsWith('-')) return flagsOf(program.options);
  return program
    .createHelp()
    .visibleCommands(program)
    .map((command) => command.name());
}

async function inCommand(
  command: Command,
  before: readonly string[],
  last: string,
  session: Session,
): Promise<readonly string[]> {
  if (last.startsWith('-')) return flagsOf([...command.options, ...(command.parent?.options ?? [])]);
  const previous = before.at(-1) ?? '';
  const option = command.options.find(({ short, long }) => previous === short || previous === long);
  if (option && !option.isBoolean()) return valuesOf(option.name(), option.argChoices, before, session);
  const given = before.slice(before.indexOf(command.name()) + 1).filter((word) => !word.startsWith('-'));
  const argument = argumentAt(command, given.length);
  return argument ? valuesOf(argument.name(), argument.argChoices, given, session) : [];
}

function argumentAt({ registeredArguments }: Command, index: number): Argument | undefined {
  return registeredArguments[Math.min(index, registeredArguments.length - 1)];
}

function flagsOf(options: readonly Option[]): readonly string[] {
  return options.flatMap(({ long, hidden }) => (long === undefined || hidden ? [] : [long]));
}

/** Ids of runs and steps are looked up; a folder, file or free text is left to the shell. */
async function valuesOf(
  name: string,
  choices: readonly string[] | undefined,
  given: readonly string[],
  session: Session,
): Promise<readonly string[]> {
  if (choices) return choices;
  if (name === 'run') return ['latest', ...(await runIds(session))];
  return name === 'step' || name === 'from' ? stepIds(given, session) : [];
}

const offeredRuns = 50;

async function runIds(session: Session): Promise<readonly string[]> {
  const { store } = await session.open();
  return (await store.runs({ limit: offeredRuns })).map(({ runId }) => runId);
}

async function stepIds(given: readonly string[], session: Session): Promise<readonly string[]> {
  const { store, engine } = await session.open();
  const run = await store.resolve(given.find((word) => !word.startsWith('-')) ?? 'latest');
  return (await engine.state(run)).plan.steps.filter(({ kind }) => kind !== 'group-start').map(({ id }) => id);
}
