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
    .argument('<step>', 'the step that waits')
    .option('--reject', 'say no; the step fails')
    .option('--comment <text>', 'why, kept with the run', '');
  return async (session) => {
    const { reject, comment } = command.opts<ApproveOptions>();
    const { store, engine } = await session.services();
    const runId = await store.resolve(command.args[0] ?? '');
    const step = resolveStep(await engine.state(runId), command.args[1] ?? '');
    const approved = !reject;
    await engine.approve(runId, step, { approved, by: session.config.actor, comment });
    if (session.json) session.printJson({ runId, step, approved });
    else session.print(`${step} of run ${runId} is ${approved ? 'approved' : 'rejected'}.`);
    return exitCodes.succeeded;
  };
};
