import type { Define } from '../define.ts';
import { driveRun } from '../drive-run.ts';
import { exitCodes } from '../exit-code.ts';
import type { ViewOptions } from '../open-view.ts';
import { printProblems } from '../print-problems.ts';
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
  return async (session) => {
    const flags = command.opts<PrepareFlags & EngineFlags & ViewOptions>();
    const services = await session.services(await engineOverrides(flags, session));
    const prepared = await services.engine.prepare(prepareOptions(command.args[0], flags, session));
    if (!prepared.ok) {
      printProblems(prepared.problems, session);
      return exitCodes.usage;
    }
    return driveRun(await services.engine.start(prepared.value), session, services, flags);
  };
};
