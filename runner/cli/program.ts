import { Command } from 'commander';
import { commands } from './commands.ts';
import type { CommandEntry } from './commands.ts';
import type { Act } from './define.ts';
import type { Io } from './session.ts';

/** Options that every command takes, before or behind its name. */
export interface GlobalOptions {
  readonly directory?: string;
  readonly home?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

/**
 * The command line as commander sees it. Only commands that `words` names are loaded; the others are a name and a
 * summary. `carryOut` gets the action of the one that was called.
 */
export async function createProgram(
  words: readonly string[],
  io: Io,
  version: string,
  carryOut: (options: GlobalOptions, act: Act) => Promise<void>,
): Promise<Command> {
  const program = new Command('sluice')
    .description('Runs CI/CD pipelines, on this machine or on Kubernetes.')
    .usage('<command> [options]')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .option('-C, --directory <dir>', 'work in this folder')
    .option(
      '--home <dir>',
      'data folder with runs, logs and artefacts (default: $SLUICE_HOME or the data folder of the user)',
    )
    .option('--json', 'print JSON, for programs')
    .option('--no-color', 'print without colours')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getOutHasColors: () => false,
    })
    .exitOverride();
  for (const entry of commands) await addCommand(program, entry, words, carryOut);
  return program;
}

async function addCommand(
  program: Command,
  entry: CommandEntry,
  words: readonly string[],
  carryOut: (options: GlobalOptions, act: Act) => Promise<void>,
): Promise<void> {
  const command = program
    .command(entry.name, { hidden: entry.hidden ?? false })
    .summary(entry.summary)
    .description(`${entry.summary.charAt(0).toUpperCase()}${entry.summary.slice(1)}.`)
    .helpGroup(`${entry.group}:`);
  if (!words.includes(entry.name)) return;
  const act = (await entry.load())(command);
  command.action(() => carryOut(command.optsWithGlobals(), act));
}
