import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { printProblems } from '../print-problems.ts';
import { addPrepareOptions, prepareOptions } from '../run-options.ts';
import type { PrepareFlags } from '../run-options.ts';
import { graphLines, planLines } from '../view/plan-lines.ts';

export const definePlan: Define = (command) => {
  addPrepareOptions(command);
  command.option('--graph', 'print the graph only');
  return async (session) => {
    const { graph, ...flags } = command.opts<PrepareFlags & { readonly graph?: boolean }>();
    const { engine } = await session.open();
    const prepared = await engine.prepare({
      ...prepareOptions(command.args[0], flags, session),
      onlyToLook: true,
    });
    if (!prepared.ok) {
      printProblems(prepared.problems, session);
      return exitCodes.usage;
    }
    const { request, plan } = prepared.value;
    if (session.json) session.printJson({ request, plan });
    else
      session.print(
        [...graphLines(plan, session.palette), ...(graph ? [] : ['', ...planLines(plan, session.palette)])].join('\n'),
      );
    return exitCodes.succeeded;
  };
};
