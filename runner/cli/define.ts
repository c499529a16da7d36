import type { Command } from 'commander';
import type { ExitCode } from './exit-code.ts';
import type { Session } from './session.ts';

/** Declares arguments and options, and answers what the command does. */
export type Define = (command: Command) => Act;

export type Act = (session: Session) => ExitCode | Promise<ExitCode>;
