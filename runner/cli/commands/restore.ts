import { resolve } from 'node:path';
import { secretKeyFile } from '../../store/secret-box.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { formatBytes } from '../view/format-bytes.ts';

export const defineRestore: Define = (command) => {
  command.argument('<folder>', 'what `sluice backup` has filled');
  return async (session) => {
    const folder = resolve(session.io.cwd, command.args[0] ?? '');
    const size = await session.archive().restore(folder);
    const { home } = session.config;
    if (session.json) session.printJson({ folder: home, ...size });
    else session.print(`${size.files} files with ${formatBytes(size.bytes)} and the database are in ${home}.`);
    session.note(
      `Put the ${secretKeyFile} of the old data folder there before you go on; without it secrets of repositories have to be given again.`,
    );
    return exitCodes.succeeded;
  };
};
