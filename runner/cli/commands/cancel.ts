import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';

export const defineCancel: Define = (command) => {
  command.argument('<run>', 'id, its beginning, or `latest`');
  return async (session) => {
    const { store, engine } = await session.services();
    const runId = await store.resolve(command.args[0] ?? '');
    await engine.cancel(runId, session.config.actor);
    if (session.json) session.printJson({ runId, cancelled: true });
    else session.print(`Run ${runId} is asked to end. See: sluice show ${runId}`);
    return exitCodes.succeeded;
  };
};
