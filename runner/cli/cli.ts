import { exitCodes } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { openSession } from './open-session.ts';
import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';
import type { Dependencies, Io } from './session.ts';

/** Carries out one command line (without node and script name) and answers its exit code. Never rejects. */
export async function runCli(argv: readonly string[], io: Io, dependencies: Dependencies): Promise<ExitCode> {
  let code: ExitCode = exitCodes.succeeded;
  const pipe = { readerLeft: false };
  const onPipeError = (error: NodeJS.ErrnoException): void => {
    pipe.readerLeft ||= error.code === 'EPIPE';
  };
  io.stdout.on('error', onPipeError);
  try {
    const program = await createProgram(argv, io, dependencies.version, async (options, act) => {
      const open = openSession(options, io, dependencies);
      try {
        code = await act(open.session);
      } finally {
        await open.close();
      }
    });
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    // As `head` does it: a reader that has seen enough is no failure.
    return pipe.readerLeft ? exitCodes.succeeded : reportError(error, argv, io);
  } finally {
    io.stdout.off('error', onPipeError);
  }
}
