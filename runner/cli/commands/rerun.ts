import { Option } from 'commander';
import { SluiceError } from '../../model/errors.ts';
import type { RerunScope } from '../../engine/engine.ts';
import type { Define } from '../define.ts';
import { driveRun } from '../drive-run.ts';
import type { ViewOptions } from '../open-view.ts';
import { addEngineOptions, addViewOptions, engineOverrides } from '../run-options.ts';
import type { EngineFlags } from '../run-options.ts';
import { resolveStep } from '../resolve-step.ts';

interface RerunOptions extends ViewOptions, EngineFlags {
  readonly failed?: boolean;
  readonly from?: string;
}

export const defineRerun: Define = (command) => {
  command
    .argument('[run]', 'id, its beginning, or `latest`', 'latest')
    .addOption(new Option('--failed', 'repeat what did not succeed').conflicts('from'))
    .option('--from <step>', 'repeat this step and everything behind it');
  addEngineOptions(command);
  addViewOptions(command);
  return async (session) => {
    const options = command.opts<RerunOptions>();
    if (!options.failed && options.from === undefined) {
      throw new SluiceError('ERR_USAGE', 'rerun needs to know what to repeat', {
        hint: 'Add --failed or --from STEP.',
      });
    }
    const services = await session.services(await engineOverrides(options, session));
    const runId = await services.store.resolve(command.args[0] ?? 'latest');
    const state = await services.engine.state(runId);
    const scope: RerunScope =
      options.from === undefined ? { kind: 'failed' } : { kind: 'from', step: resolveStep(state, options.from) };
    if (state.request.dirty)
      session.note(
        `Repeats run ${runId} with its uncommitted changes of then; \`sluice run\` takes the files as they are.`,
      );
    return driveRun(await services.engine.rerun(runId, scope), session, services, options);
  };
};
