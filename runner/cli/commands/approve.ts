import { SluiceError } from '../../model/errors.ts';
import type { RunState } from '../../model/run-state.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { resolveStep } from '../resolve-step.ts';

interface ApproveOptions {
  readonly reject?: boolean;
  readonly comment: string;
}

export const defineApprove: Define = (command) => {
  command
    .argument('<run>', 'id, its beginning, or `latest`')
    .argument('[step]', 'the step that waits; without it the run waits for an approval of its commit')
    .option('--reject', 'say no; the step or run fails')
    .option('--comment <text>', 'why, kept with the run', '');
  return async (session) => {
    const { reject, comment } = command.opts<ApproveOptions>();
    const { store, engine } = await session.services();
    const runId = await store.resolve(command.args[0] ?? '');
    const approved = !reject;
    const state = await engine.state(runId);
    if (command.args[1] === undefined) {
      refuseStepApproval(state);
      // Read before anybody can announce another commit: that is a run of its own.
      const { commit } = state.request.trigger;
      await engine.review(runId, { commit, approved, by: session.config.actor, comment });
      if (session.json) session.printJson({ runId, commit, approved });
      else session.print(`Commit ${commit} of run ${runId} is ${approved ? 'approved' : 'rejected'}.`);
      return exitCodes.succeeded;
    }
    const step = resolveStep(state, command.args[1]);
    await engine.approve(runId, step, { approved, by: session.config.actor, comment });
    if (session.json) session.printJson({ runId, step, approved });
    else session.print(`${step} of run ${runId} is ${approved ? 'approved' : 'rejected'}.`);
    return exitCodes.succeeded;
  };
};

/** Whoever leaves the step out means the one that waits. It is named and not guessed: what is approved may be production. */
function refuseStepApproval({ runId, phase, steps }: RunState): void {
  const waiting = [...steps].flatMap(([id, step]) => (step.phase === 'awaiting-approval' ? [id] : []));
  if (phase === 'finished' || waiting.length === 0) return;
  throw new SluiceError('ERR_USAGE', `Run ${runId} waits for an approval of ${waiting.join(' and ')}.`, {
    hint: `Name the step: sluice approve ${runId} ${waiting[0] ?? ''}`,
  });
}
