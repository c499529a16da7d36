import type { Define } from '../define.ts';
import { examine } from '../doctor/examine.ts';
import { exitCodes } from '../exit-code.ts';
import { checkLines } from '../view/check-lines.ts';

export const defineDoctor: Define = () => async (session) => {
  const checks = await examine(session);
  if (session.json) session.printJson({ checks });
  else session.print(checkLines(checks, session.palette).join('\n'));
  return checks.some(({ status }) => status === 'failed') ? exitCodes.failed : exitCodes.succeeded;
};
