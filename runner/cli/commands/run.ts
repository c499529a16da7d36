import { resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { priorityBounds } from '../../model/run-request.ts';
import type { Define } from '../define.ts';
import { driveRun } from '../drive-run.ts';
import { exitCodes } from '../exit-code.ts';
import type { ViewOptions } from '../open-view.ts';
import { printProblems } from '../print-problems.ts';
import type { RemoteFlags } from '../remote/run-remote.ts';
import {
  addEngineOptions,
  addPrepareOptions,
  addViewOptions,
  engineOverrides,
  prepareOptions,
} from '../run-options.ts';
import type { EngineFlags, PrepareFlags } from '../run-options.ts';

export const defineRun: Define = (command) => {
  addPrepareOptions(command);
  addEngineOptions(command);
  addViewOptions(command);
  addRemoteOptions(command);
  return async (session) => {
    const flags = command.opts<PrepareFlags & EngineFlags & ViewOptions & RemoteFlags>();
    if (flags.server !== undefined) {
      const folder = resolve(session.folder, command.args[0] ?? '.');
      return (await import('../remote/run-remote.ts')).runRemote(folder, flags.server, flags, session);
    }
    const services = await session.services(await engineOverrides(flags, session));
    const prepared = await services.engine.prepare(prepareOptions(command.args[0], flags, session));
    if (!prepared.ok) {
      printProblems(prepared.problems, session);
      return exitCodes.usage;
    }
    return driveRun(await services.engine.start(prepared.value), session, services, flags);
  };
};

/** What only a server looks at is refused without one, and what only this machine looks at with one. */
function addRemoteOptions(command: Command): void {
  const ofThisMachine = ['jobs', 'executor', 'secretsFile', 'event'];
  command
    .addOption(new Option('--server <url>', 'run it at this server instead of here').conflicts(ofThisMachine))
    .option('--token-file <path>', 'with --server: token of role developer or higher')
    .option('--repository <name>', 'with --server: its name there (default: the name of this one)')
    .addOption(
      new Option(
        '--priority <number>',
        'with --server: higher goes first, from -100 to 100; above 0 for maintainers',
      ).argParser(priority),
    )
    .addOption(new Option('--command <script>', 'with --server: this script instead of a pipeline').conflicts('file'))
    .option('--image <image>', 'with --command: runtime image')
    .option('--junit <patterns...>', 'with --command: test reports')
    .option('--timeout <duration>', 'with --command: such as 10m')
    .hook('preAction', () => {
      const needs = (option: string, names: readonly string[]): void => {
        const alone = names.find((name) => command.getOptionValueSource(name) === 'cli');
        if (alone !== undefined && command.getOptionValue(option) === undefined) {
          const flag = `--${alone.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
          command.error(`error: option '${flag}' says something to --${option} only`);
        }
      };
      needs('server', ['tokenFile', 'repository', 'command', 'priority']);
      needs('command', ['image', 'junit', 'timeout']);
    });
}

function priority(text: string): number {
  const { least, most } = priorityBounds;
  const value = Number(text);
  if (/^-?\d{1,3}$/.test(text) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
}
