import { createHash } from 'node:crypto';
import type { MigrationTool } from './migration-tool.ts';
import { bookkeeping, namesIn, textOf } from './repository.ts';

interface Row {
  readonly [column: string]: unknown;
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

/** prisma.io: a folder per migration; the checksum is sha256 of its script. What was rolled back by hand does not count. */
export const prisma: MigrationTool = {
  name: 'prisma',
  // A script is one message to the server, which makes it one transaction.
  transactional: true,
  ordered: true,
  detect: async (root) => ((await namesIn(root, 'prisma/migrations')).length > 0 ? 'prisma/migrations' : undefined),
  files: async ({ root, folder }) => {
    const found = [];
    for (const name of await namesIn(root, folder)) {
      const path = `${folder}/${name}/migration.sql`;
      const text = await textOf(root, path);
      if (text !== undefined) found.push({ name, path, checksum: createHash('sha256').update(text).digest('hex') });
    }
    return found;
  },
  applied: async (connection) => {
    const columns = `migration_name AS name, checksum, finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS back`;
    const rows = (await bookkeeping<Row>(connection, '_prisma_migrations', columns)) ?? [];
    return rows
      .filter((row) => row['back'] !== true)
      .map(({ name, checksum, finished }) => ({ name, checksum, ...(!finished && { incomplete: true as const }) }));
  },
};
