import { crc32 } from 'node:zlib';
import type { AppliedMigration, MigrationFile, MigrationTool } from './migration-tool.ts';
import { bookkeeping, folderWith, namesLike, textOf } from './repository.ts';
import { compareVersions } from './version-order.ts';

const script = /^(?:V(?<version>\d+(?:[._]\d+)*)|R)__.*\.sql$/;
const folders = ['src/main/resources/db/migration', 'db/migration', 'db/migrations', 'sql', 'migrations'];

interface Row {
  readonly [column: string]: unknown;
  readonly version: string | null;
  readonly type: string;
  readonly script: string;
  readonly checksum: number | null;
  readonly success: boolean;
}

/** documentation.red-gate.com/flyway: versioned scripts by number, then repeatable ones, which run again when they change. */
export const flyway: MigrationTool = {
  name: 'flyway',
  transactional: true,
  ordered: true,
  detect: (root) => folderWith(root, folders, script),
  files: async (site) => {
    const names = await namesLike(site, script);
    const versioned = names
      .filter((name) => name.startsWith('V'))
      .toSorted((a, b) => compareVersions(versionOf(a), versionOf(b)));
    const found: MigrationFile[] = [];
    for (const name of [...versioned, ...names.filter((other) => other.startsWith('R'))]) {
      const path = `${site.folder}/${name}`;
      const checksum = checksumOf((await textOf(site.root, path)) ?? '');
      found.push({ name, path, checksum, ...(name.startsWith('R') && { repeatable: true as const }) });
    }
    return found;
  },
  applied: async (connection, files) => {
    const columns = 'version, type, script, checksum, success';
    const rows = (await bookkeeping<Row>(connection, 'flyway_schema_history', `${columns}, installed_rank`)) ?? [];
    const inOrder = rows.toSorted((a, b) => Number(a['installed_rank']) - Number(b['installed_rank']));
    return [...baseline(inOrder, files), ...latest(inOrder)];
  },
};

function versionOf(name: string): string {
  return script.exec(name)?.groups?.['version'] ?? '';
}

/** A baseline says that everything up to it was there before. */
function baseline(rows: readonly Row[], files: readonly MigrationFile[]): readonly AppliedMigration[] {
  const base = rows.find(({ type, version }) => type === 'BASELINE' && version !== null)?.version;
  if (base === undefined || base === null) return [];
  return files
    .filter(({ name }) => name.startsWith('V') && compareVersions(versionOf(name), base) <= 0)
    .map(({ name }) => ({ name }));
}

/** A repeatable script counts by its last run; one that changed since is pending, not changed. */
function latest(rows: readonly Row[]): readonly AppliedMigration[] {
  const scripts = rows.filter(({ type }) => type === 'SQL' || type === 'JDBC');
  const byScript = new Map(scripts.map((row) => [row.script, row]));
  return [...byScript.values()].map(({ script: name, checksum, success }) => ({
    name,
    ...(checksum !== null && { checksum: String(checksum) }),
    ...(!success && { incomplete: true as const }),
  }));
}

/** CRC-32 of the lines without their ends, as a signed number (Flyway's ChecksumCalculator). */
export function checksumOf(text: string): string {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  // A last line that is empty is none.
  if (lines.at(-1) === '') lines.pop();
  let sum = 0;
  for (const line of lines) sum = crc32(line, sum);
  return String(sum | 0);
}
