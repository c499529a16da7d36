import { candidatesFor } from '../candidates.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';

export const defineComplete: Define = (command) => {
  command.argument('[words...]', 'the words behind `sluice`, the last one unfinished');
  return async (session) => {
    const candidates = await candidatesFor(command.args, command.parent, session);
    if (session.json) session.printJson({ candidates });
    else session.print(candidates.join('\n'));
    return exitCodes.succeeded;
  };
};
