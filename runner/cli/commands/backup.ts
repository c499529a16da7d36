import { join, resolve } from 'node:path';
import { secretKeyFile } from '../../store/secret-box.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { formatBytes } from '../view/format-bytes.ts';

export const defineBackup: Define = (command) => {
  command.argument('<folder>', 'new, empty, or that of an earlier backup');
  return async (session) => {
    const folder = resolve(session.io.cwd, command.args[0] ?? '');
    const size = await session.archive().backUp(folder);
    if (session.json) session.printJson({ folder, ...size });
    else session.print(`${size.files} files with ${formatBytes(size.bytes)} and the database are in ${folder}.`);
    const key = join(session.config.home, secretKeyFile);
    session.note(`Keep a copy of ${key} elsewhere: without it secrets of repositories have to be given again.`);
    return exitCodes.succeeded;
  };
};
