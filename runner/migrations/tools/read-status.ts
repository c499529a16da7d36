import type { Connection } from '../database/connection.ts';
import type { DetectedTool } from './detect-tool.ts';
import type { AppliedMigration, MigrationFile } from './migration-tool.ts';
import type { MigrationStatus } from './status.ts';

/** What a tool has applied and what is pending, from its files and its table; nothing is run and nothing written. */
export async function readStatus({ tool, site }: DetectedTool, connection: Connection): Promise<MigrationStatus> {
  const files = await tool.files(site);
  return statusOf(tool, files, await tool.applied(connection, files));
}

function statusOf(
  { name: tool, ordered }: DetectedTool['tool'],
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
): MigrationStatus {
  const rows = new Map(applied.map((row) => [row.name, row]));
  const isDone = (file: MigrationFile) => {
    const row = rows.get(file.name);
    return row !== undefined && row.incomplete !== true && !(file.repeatable === true && differs(file, row));
  };
  const pending = files.filter((file) => !isDone(file) && rows.get(file.name)?.incomplete !== true);
  const last = files.findLastIndex((file) => isDone(file) && file.repeatable !== true);
  return {
    tool,
    applied: files.filter(isDone).map(({ name }) => name),
    pending: pending.map(({ name }) => name),
    incomplete: applied.filter(({ incomplete }) => incomplete === true).map(({ name }) => name),
    changed: files.filter((file) => isDone(file) && differs(file, rows.get(file.name))).map(({ name }) => name),
    missing: applied.filter(({ name }) => !files.some((file) => file.name === name)).map(({ name }) => name),
    outOfOrder: ordered
      ? pending.filter((file) => file.repeatable !== true && files.indexOf(file) < last).map(({ name }) => name)
      : [],
  };
}

function differs({ checksum }: MigrationFile, row: AppliedMigration | undefined): boolean {
  return checksum !== undefined && row?.checksum !== undefined && checksum !== row.checksum;
}
