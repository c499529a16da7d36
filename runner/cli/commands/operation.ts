import { SluiceError } from '../../model/errors.ts';
import { isOperation, operations } from '../../model/operations.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';

export const defineOperation: Define = (command) => {
  command.argument('<name>', `one of ${Object.keys(operations).join(', ')}`);
  return async (session) => {
    const [name = ''] = command.args;
    if (!isOperation(name)) throw new SluiceError('ERR_USAGE', `there is no operation ${JSON.stringify(name)}`);
    await session.operate(name);
    return exitCodes.succeeded;
  };
};
