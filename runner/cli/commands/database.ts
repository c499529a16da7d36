import { SluiceError } from '../../model/errors.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import type { BackupRow, ProductionDatabase, Session } from '../session.ts';
import { formatBytes } from '../view/format-bytes.ts';

export const defineDatabase: Define = (command) => {
  command
    .argument('<action>', 'backups or restore')
    .argument('<backend>', 'the backend whose production database is meant')
    .argument('[backup]', 'the backup to restore, as `backups` names it')
    .option('--force', 'also where the live release was not tested on the schema of the backup')
    .addHelpText(
      'after',
      '\nrestore puts a backup beside the database, compares it, and swaps the two: what was written since is not in it, and stays on the server under another name.',
    );
  return async (session) => {
    const [action = '', backend = '', backup] = command.args;
    if (action !== 'backups' && action !== 'restore') throw unknown(action);
    await using database = await session.database(backend);
    if (action === 'backups') show(session, await database.backups());
    else await restore(session, database, backup, command.opts<{ force?: boolean }>().force === true);
    return exitCodes.succeeded;
  };
};

function unknown(action: string): SluiceError {
  return new SluiceError('ERR_USAGE', `database cannot ${JSON.stringify(action)}`, {
    hint: 'It can list `backups` and `restore` one.',
  });
}

async function restore(
  session: Session,
  database: ProductionDatabase,
  backup: string | undefined,
  force: boolean,
): Promise<void> {
  if (backup === undefined) {
    throw new SluiceError('ERR_USAGE', 'it is not said which backup to restore', {
      hint: '`sluice database backups BACKEND` lists them.',
    });
  }
  await database.restore(backup, { force, say: session.note });
  if (session.json) session.printJson({ restored: backup });
}

function show(session: Session, backups: readonly BackupRow[]): void {
  if (session.json) session.printJson({ backups });
  else if (backups.length === 0) session.note('There is none: `promote` makes one before it migrates production.');
  else
    session.print(
      backups
        .map(({ name, takenAt, bytes, tables, rows }) =>
          [name, takenAt, formatBytes(bytes), `${tables} tables, ${rows} rows`].join('  '),
        )
        .join('\n'),
    );
}
