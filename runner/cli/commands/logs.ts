import { Option } from 'commander';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { positive } from '../positive.ts';
import { resolveStep } from '../resolve-step.ts';

interface LogsOptions {
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly attempt?: number;
}

export const defineLogs: Define = (command) => {
  command
    .argument('[run]', 'id, its beginning, or `latest`', 'latest')
    .argument('[step]', 'only of this step')
    .addOption(new Option('-f, --follow', 'go on until the step or the run has ended').conflicts('timestamps'))
    .option('-t, --timestamps', 'begin each line with the time at which it came')
    .option('--attempt <number>', 'of this attempt instead of the last', positive);
  return async (session) => {
    const services = await session.services();
    const { follow, ...options } = command.opts<LogsOptions>();
    const runId = await services.store.resolve(command.args[0] ?? 'latest');
    const named = command.args[1];
    const step = named === undefined ? {} : { step: resolveStep(await services.engine.state(runId), named) };
    const selection = { runId, ...step, ...options };
    if (follow) return (await import('../follow-logs.ts')).followLogs(selection, session, services);
    await (await import('../print-logs.ts')).printLogs(selection, session, services);
    return exitCodes.succeeded;
  };
};
