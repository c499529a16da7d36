import { reportOf } from '../../results/report/run-report.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { problemText } from '../print-problems.ts';
import { printRun } from '../print-run.ts';

export const defineShow: Define = (command) => {
  command
    .argument('[run]', 'id, its beginning, or `latest`', 'latest')
    .option('-f, --follow', 'stay until the run has ended');
  return async (session) => {
    const services = await session.services();
    const runId = await services.store.resolve(command.args[0] ?? 'latest');
    const { follow } = command.opts<{ readonly follow?: boolean }>();
    if (follow) return (await import('../follow-run.ts')).followRun(runId, session, services);
    const state = await services.engine.state(runId);
    if (session.json) session.printJson(reportOf(state));
    else await printRun(state, session, services);
    if (!session.json && state.problems) session.print(`\n${problemText(state.problems, session.color)}`);
    return exitCodes.succeeded;
  };
};
