import { createHash } from 'node:crypto';
import type { MigrationTool } from './migration-tool.ts';
import { bookkeeping, folderWith, namesLike, textOf } from './repository.ts';

/** The table of our own runner, `apply/apply-sql-files.ts`. */
export const sqlFilesTable = 'sluice_migrations';

const script = /^[^.].*(?<!\.down)\.sql$/;

/** Plain SQL files, run by Sluice itself in the order of their names; the checksum is sha256. */
export const sqlFiles: MigrationTool = {
  name: 'sql',
  transactional: true,
  ordered: true,
  detect: (root) => folderWith(root, ['migrations', 'db/migrations', 'sql/migrations'], script),
  files: async (site) => {
    const found = [];
    for (const name of await namesLike(site, script)) {
      const path = `${site.folder}/${name}`;
      found.push({ name, path, checksum: sqlChecksum((await textOf(site.root, path)) ?? '') });
    }
    return found;
  },
  applied: async (connection) => {
    type Row = Readonly<Record<'name' | 'checksum', string>>;
    return (await bookkeeping<Row>(connection, sqlFilesTable, 'name, checksum')) ?? [];
  },
};

/** Line ends do not count: Git may write them anew. */
export function sqlChecksum(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}
