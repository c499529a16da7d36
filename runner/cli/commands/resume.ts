import { SluiceError } from '../../model/errors.ts';
import type { Define } from '../define.ts';
import { driveRun } from '../drive-run.ts';
import type { ViewOptions } from '../open-view.ts';
import { addEngineOptions, addViewOptions, engineOverrides } from '../run-options.ts';
import type { EngineFlags } from '../run-options.ts';

export const defineResume: Define = (command) => {
  command.argument('[run]', 'id, its beginning, or `latest`', 'latest');
  addEngineOptions(command);
  addViewOptions(command);
  return async (session) => {
    const options = command.opts<ViewOptions & EngineFlags>();
    const services = await session.services(await engineOverrides(options, session));
    const runId = await services.store.resolve(command.args[0] ?? 'latest');
    const { phase, verdict } = await services.engine.state(runId);
    if (phase !== 'finished') return driveRun(runId, session, services, options);
    // Its runner may have been killed before it had cleared away what the last step ran in.
    services.engine.anticipate();
    const outcome = verdict?.outcome ?? 'unknown';
    throw new SluiceError('ERR_USAGE', `Run ${runId} has already ended: ${outcome}.`, {
      hint:
        outcome === 'succeeded'
          ? `Repeat steps of it with: sluice rerun ${runId} --from STEP`
          : `Repeat what did not succeed with: sluice rerun ${runId} --failed`,
    });
  };
};
