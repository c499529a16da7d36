import type { MigrationTool } from './migration-tool.ts';
import { bookkeeping, folderWith, namesLike } from './repository.ts';
import { compareVersions } from './version-order.ts';

const script = /^(\d+)_.*\.up\.sql$/;
const folders = [
  'migrations',
  'db/migrations',
  'db/migration',
  'database/migrations',
  'internal/migrations',
  'sql/migrations',
];

interface Row {
  readonly [column: string]: unknown;
  readonly version: string;
  readonly dirty: boolean;
}

/** github.com/golang-migrate/migrate: its table has one row, the version that was reached, and whether that one failed half way. */
export const golangMigrate: MigrationTool = {
  name: 'golang-migrate',
  // A file is one message to the server, which makes it one transaction.
  transactional: true,
  ordered: true,
  detect: (root) => folderWith(root, folders, script),
  files: async (site) =>
    (await namesLike(site, script))
      .toSorted((a, b) => compareVersions(versionOf(a), versionOf(b)))
      .map((name) => ({ name: name.replace(/\.up\.sql$/, ''), path: `${site.folder}/${name}` })),
  applied: async (connection, files) => {
    const [row] = (await bookkeeping<Row>(connection, 'schema_migrations', 'version::text, dirty')) ?? [];
    if (row === undefined) return [];
    const reached = files.filter(({ name }) => compareVersions(versionOf(`${name}.up.sql`), row.version) <= 0);
    const at = (name: string) => compareVersions(versionOf(`${name}.up.sql`), row.version) === 0;
    return reached.map(({ name }) => ({ name, ...(row.dirty && at(name) && { incomplete: true as const }) }));
  },
};

function versionOf(name: string): string {
  return script.exec(name)?.[1] ?? '0';
}
