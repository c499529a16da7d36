import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { commandReference } from '../reference.ts';

export const defineReference: Define = (command) => (session) => {
  const text = command.parent ? commandReference(command.parent) : '';
  if (session.json) session.printJson({ text });
  else session.io.stdout.write(text);
  return exitCodes.succeeded;
};
