import { Command } from 'commander';
import { commands } from './commands.ts';
import type { CommandEntry } from './commands.ts';
import type { Act } from './define.ts';
import type { Io } from './session.ts';

/** Options that every command takes, before or behind its name. */
export interface GlobalOptions {
  readonly directory?: string;
  readonly home?: string;
  readonly config?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

type CarryOut = (options: GlobalOptions, act: Act) => Promise<void>;

/**
 * The command line as commander sees it. Only commands that `words` names are loaded; the others are a name and a
 * summary. `carryOut` gets the action of the one that was called.
 */
export async function createProgram(
  words: readonly string[],
  io: Io,
  version: string,
  carryOut: CarryOut,
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
    .option('--config <file>', 'configuration file (default: $SLUICE_CONFIG, else none)')
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
  const all = commands.some(({ name, needsAll }) => needsAll && words.includes(name));
  for (const entry of commands) {
    const command = addCommand(program, entry);
    if (all || words.includes(entry.name)) await loadCommand(command, entry, carryOut);
  }
  return program;
}

function addCommand(program: Command, { name, summary, group, hidden }: CommandEntry): Command {
  return program
    .command(name, { hidden: hidden ?? false })
    .summary(summary)
    .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
    .helpGroup(`${group}:`);
}

async function loadCommand(command: Command, entry: CommandEntry, carryOut: CarryOut): Promise<void> {
  const act = (await entry.load())(command);
  command.action(() => carryOut(command.optsWithGlobals(), act));
}
