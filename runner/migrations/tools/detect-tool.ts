import { SluiceError } from '../../model/errors.ts';
import { flyway } from './flyway.ts';
import { golangMigrate } from './golang-migrate.ts';
import type { MigrationSite, MigrationTool } from './migration-tool.ts';
import { knex, nodePgMigrate, sequelize } from './node-tools.ts';
import { prisma } from './prisma.ts';
import { alembic, django } from './python-tools.ts';
import { sqlFiles } from './sql-files.ts';

/** Those with marks of their own come first; plain files are what is left. */
const tools: readonly MigrationTool[] = [
  prisma,
  nodePgMigrate,
  knex,
  sequelize,
  alembic,
  django,
  flyway,
  golangMigrate,
  sqlFiles,
];

export interface DetectedTool {
  readonly tool: MigrationTool;
  readonly site: MigrationSite;
}

/**
 * The migration tool of a repository by what lies in it, undefined when there is none. `wanted` names one, `folder` says where its
 * migrations are when that is not where the tool looks by itself. ERR_USAGE for a name that no tool has.
 */
export async function detectTool(
  root: string,
  { wanted, folder }: { readonly wanted?: string; readonly folder?: string } = {},
): Promise<DetectedTool | undefined> {
  if (wanted !== undefined && !tools.some(({ name }) => name === wanted)) {
    throw new SluiceError('ERR_USAGE', `There is no migration tool ${JSON.stringify(wanted)}.`, {
      hint: `Sluice knows ${tools.map(({ name }) => name).join(', ')}.`,
    });
  }
  for (const tool of tools) {
    if (wanted !== undefined && tool.name !== wanted) continue;
    const found = (wanted !== undefined ? folder : undefined) ?? (await tool.detect(root));
    if (found !== undefined) return { tool, site: { root, folder: found } };
  }
  return undefined;
}
