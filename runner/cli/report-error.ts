import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { SluiceError } from '../model/errors.ts';
import { commands } from './commands.ts';
import { exitCodeOfError, exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import type { Io } from './session.ts';

interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** Tells what went wrong: one sentence and the next step; a stack trace for our own defects only. */
export function reportError(error: unknown, argv: readonly string[], io: Io): ExitCode {
  if (error instanceof CommanderError && isHelp(error)) {
    return error.exitCode === 0 ? exitCodes.succeeded : exitCodes.usage;
  }
  const report = describe(error, argv);
  if (argv.includes('--json')) {
    io.stdout.write(`${JSON.stringify({ error: report })}\n`);
  } else {
    io.stderr.write(`error: ${report.message}\n${report.hint === undefined ? '' : `  ${report.hint}\n`}`);
  }
  if (error instanceof CommanderError) return exitCodes.usage;
  if (error instanceof SluiceError) return exitCodeOfError(error.code);
  io.stderr.write(`${inspect(error)}\n`);
  return exitCodes.errored;
}

/** Help and version were printed already, on request or because no command was named. */
function isHelp(error: CommanderError): boolean {
  return ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code);
}

function describe(error: unknown, argv: readonly string[]): ErrorReport {
  if (error instanceof SluiceError) {
    const { code, message, hint } = error;
    return { code, message, ...(hint === undefined ? {} : { hint }) };
  }
  if (error instanceof CommanderError) {
    const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
    const hint = suggestion?.replace(/^\((.*)\)$/, '$1') ?? helpFor(argv);
    return { code: 'ERR_USAGE', message, hint };
  }
  return { code: 'ERR_INTERNAL', message: String(error), hint: 'This is a defect in Sluice; please report it.' };
}

/** Where the arguments are explained: the help of the command that was named, else the list of commands. */
function helpFor(argv: readonly string[]): string {
  const named = argv.find((word) => commands.some(({ name }) => name === word));
  return named === undefined
    ? '`sluice --help` lists the commands, `sluice COMMAND --help` the options.'
    : `See: sluice ${named} --help`;
}
