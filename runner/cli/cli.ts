import { SluiceError } from '../model/errors.ts';
import { commands } from './commands.ts';
import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { openSession, readSettings } from './open-session.ts';
import { createProgram } from './program.ts';
import { printProblems } from './print-problems.ts';
import { reportError } from './report-error.ts';
import type { Dependencies, Io, Output } from './session.ts';

/** Carries out one command line (without node and script name) and answers its exit code. Never rejects. */
export async function runCli(argv: readonly string[], io: Io, dependencies: Dependencies): Promise<ExitCode> {
  const output = watch(io.stdout);
  const code = await carryOut(argv, io, dependencies).catch((error: unknown) => {
    // As `head` does it: a reader that has seen enough is no failure. Other failures of the output are told below.
    if (output.readerLeft()) return exitCodes.succeeded;
    return output.failed() ? exitCodes.errored : reportError(error, argv, io);
  });
  const failure = await output.flush();
  return failure ? reportError(failure, [], io) : code;
}

async function carryOut(argv: readonly string[], io: Io, dependencies: Dependencies): Promise<ExitCode> {
  let code: ExitCode = exitCodes.succeeded;
  const program = await createProgram(argv, io, dependencies.version, async (options, act) => {
    const settings = await readSettings(options, io, dependencies);
    if (!settings.ok) {
      const { json = false, color } = options;
      printProblems(settings.problems, { json, color: color && io.stderr.isTTY === true, io });
      code = exitCodes.usage;
      return;
    }
    const open = openSession(options, settings.value, io, dependencies);
    try {
      code = await act(open.session);
    } finally {
      await open.close();
    }
  });
  await program.parseAsync(asked(argv), { from: 'user' });
  return code;
}

/** `help` for a command that there is not is answered as that command would be. */
function asked(argv: readonly string[]): readonly string[] {
  const [first, name] = argv;
  const isUnknown = first === 'help' && name !== undefined && !name.startsWith('-') && name !== 'help';
  return isUnknown && commands.every((command) => command.name !== name) ? argv.slice(1) : argv;
}

interface WatchedOutput {
  readerLeft(): boolean;
  failed(): boolean;
  /** Waits until everything is written; answers why it could not be, unless nobody wants it any more. */
  flush(): Promise<SluiceError | undefined>;
}

function watch(stream: Output): WatchedOutput {
  let failure: NodeJS.ErrnoException | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= error;
  });
  const readerLeft = (): boolean => failure?.code === 'EPIPE';
  return {
    readerLeft,
    failed: () => failure !== undefined,
    flush: async () => {
      await new Promise((resolve) => stream.write('', resolve));
      if (!failure || readerLeft()) return undefined;
      return new SluiceError('ERR_WORKSPACE', `the output could not be written: ${failure.message}`, {
        ...(failure.code === 'ENOSPC' && { hint: 'Free some disk space, or write it elsewhere.' }),
        cause: failure,
      });
    },
  };
}
