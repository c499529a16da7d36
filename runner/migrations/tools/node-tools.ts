import type { MigrationTool } from './migration-tool.ts';
import { bookkeeping, dependsOn, folderWith, namesIn, namesLike } from './repository.ts';

const script = /^[^.].*\.(?:[cm]?[jt]s|sql)$/;
const declarations = /\.d\.[cm]?ts$/;
const folders = ['migrations', 'db/migrations', 'src/migrations', 'database/migrations'];

/** github.com/salsita/node-pg-migrate: the table has names without their ending. */
export const nodePgMigrate: MigrationTool = {
  name: 'node-pg-migrate',
  transactional: true,
  ordered: true,
  detect: async (root) =>
    (await dependsOn(root, ['node-pg-migrate'])) ? folderWith(root, folders, script) : undefined,
  files: async (site) =>
    (await namesLike(site, script))
      .filter((name) => !declarations.test(name))
      .map((name) => ({ name: name.replace(/\.[^.]+$/, ''), path: `${site.folder}/${name}` })),
  applied: (connection) => namesOf(connection, 'pgmigrations', 'name'),
};

/** knexjs.org: the table has names with their ending. */
export const knex: MigrationTool = {
  ...namedByFile('knex_migrations'),
  name: 'knex',
  detect: async (root) => {
    const configured = (await namesIn(root, '.')).some((name) => /^knexfile\.[cm]?[jt]s$/.test(name));
    return configured || (await dependsOn(root, ['knex'])) ? folderWith(root, folders, script) : undefined;
  },
};

/** sequelize.org: its command line keeps names with their ending, and wraps nothing in a transaction. */
export const sequelize: MigrationTool = {
  ...namedByFile('SequelizeMeta'),
  name: 'sequelize',
  transactional: false,
  detect: async (root) => {
    const configured = (await namesIn(root, '.')).includes('.sequelizerc');
    const used = configured || (await dependsOn(root, ['sequelize-cli', 'sequelize']));
    return used ? folderWith(root, folders, script) : undefined;
  },
};

function namedByFile(table: string): Omit<MigrationTool, 'name' | 'detect'> {
  return {
    transactional: true,
    ordered: true,
    files: async (site) =>
      (await namesLike(site, script))
        .filter((name) => !declarations.test(name))
        .map((name) => ({ name, path: `${site.folder}/${name}` })),
    applied: (connection) => namesOf(connection, table, 'name'),
  };
}

async function namesOf(connection: Parameters<MigrationTool['applied']>[0], table: string, column: string) {
  return (await bookkeeping<{ readonly name: string }>(connection, table, `${column} AS name`)) ?? [];
}
