import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SluiceError } from '../../model/errors.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { makeDraft } from '../init/make-draft.ts';
import { readRepository } from '../init/repository.ts';
import { writeDraft } from '../init/write-draft.ts';
import { repositoryRoot } from '../repository-files.ts';

const fileName = 'sluice.yaml';

export const defineInit: Define = (command) => {
  command
    .argument('[dir]', 'folder of the repository', '.')
    .option('--force', `write over a ${fileName} that is there`)
    .option('--print', 'print the file instead of writing it');
  return async (session) => {
    const { force, print } = command.opts<{ readonly force?: boolean; readonly print?: boolean }>();
    const folder = resolve(session.folder, command.args[0] ?? '.');
    const draft = makeDraft(await readRepository(folder));
    const text = writeDraft(draft);
    const file = join(folder, fileName);
    if (!print) await writeOnce(file, text, force ?? false);
    const found = draft.findings.map(({ what }) => what);
    if (session.json) session.printJson({ file, written: !print, found, text });
    else if (print) session.io.stdout.write(text);
    else {
      const isRepository = (await repositoryRoot(folder)) !== undefined;
      const isUnknown = draft.findings.every(({ kind }) => kind === 'unknown');
      session.print(
        [
          `Wrote ${file} for ${found.join(' and ')}.`,
          ...(isUnknown ? ['Put the commands that test it below `steps` first.'] : []),
          `Run it with: ${isRepository ? '' : 'git init && '}sluice run`,
        ].join('\n'),
      );
    }
    return exitCodes.succeeded;
  };
};

async function writeOnce(file: string, text: string, force: boolean): Promise<void> {
  await writeFile(file, text, { flag: force ? 'w' : 'wx' }).catch((error: unknown) => {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (!exists) throw error;
    throw new SluiceError('ERR_USAGE', `${file} is there already`, {
      hint: 'Write over it with --force, or look at the proposal with --print.',
    });
  });
}
