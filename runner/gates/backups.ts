import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DatabaseUrls } from '../environments/database-roles.ts';
import type { Release } from '../environments/release.ts';
import type { Site } from '../environments/site.ts';
import { backup, restoreVerified } from '../migrations/backup/backup.ts';
import type { Backup } from '../migrations/backup/backup.ts';
import { withConnection, withDatabase } from '../migrations/database/connection.ts';
import { dropLeftovers } from '../migrations/database/databases.ts';
import { readCatalog } from '../migrations/schema/read-catalog.ts';
import { messageOf, SluiceError } from '../model/errors.ts';
import type { Json } from '../model/json.ts';
import type { OperationContext } from './operation.ts';
import { readProduction } from './production.ts';

/** A backup that was restored once. Its file is `NAME.dump` in the folder of backups. */
export interface BackupRecord extends Omit<Backup, 'file'> {
  /** `r8-20261128t181500z`: the release that it was taken for, and when. */
  readonly name: string;
  readonly run: string;
  /** RFC 3339. */
  readonly takenAt: string;
  /** When it was restored into a scratch database, with the same schema and rows. */
  readonly verifiedAt: string;
  /** The release that had migrated the database last. */
  readonly migrated?: string;
}

const recordName = 'backups';
/** Longer than any restore: a server may have those of several backends. */
const leftoverMs = 6 * 60 * 60_000;

/** Of a backup in the folder of backups. */
export function fileOf(name: string): string {
  return `${name}.dump`;
}

/** Those that are kept, newest first. */
export async function readBackups(site: Site): Promise<readonly BackupRecord[]> {
  const found = await site.read(recordName);
  return (found?.value as readonly BackupRecord[] | undefined) ?? [];
}

/**
 * Backs up the production database for a release that is about to migrate it, and restores that into a scratch database: the oldest beyond those that are kept go. Where
 * the database has no tables there is nothing to back up. ERR_GATE when there is no backup that was restored.
 */
export async function backUp(
  context: OperationContext,
  database: DatabaseUrls,
  release: Release,
): Promise<BackupRecord | undefined> {
  const { site, run, backups: folder, clock, say, signal } = context;
  if (await isEmpty(database, signal)) {
    say('production has no tables: there is nothing to back up');
    return undefined;
  }
  const takenAt = new Date(clock()).toISOString();
  const name = `${release.name}-${takenAt.replaceAll(/[-:]|\.\d+/g, '').toLowerCase()}`;
  const { bytes, sha256, fingerprint, rows } = await takeVerified(context, database, join(folder, fileOf(name)));
  const { live, migrated = live } = (await readProduction(site)).production;
  const verifiedAt = new Date(clock()).toISOString();
  const facts = { bytes, sha256, fingerprint, rows };
  const record = { name, run, takenAt, verifiedAt, ...facts, ...(migrated !== undefined && { migrated }) };
  await remember(context, record);
  const tables = Object.keys(rows).length;
  say(`backup ${name}: ${bytes} bytes, sha256 ${sha256}; restored with the same ${tables} tables`);
  return record;
}

/** Under its name only once it is proven, and on the disk. */
async function takeVerified(
  { programs: path, clock, signal }: OperationContext,
  { admin }: DatabaseUrls,
  file: string,
): Promise<Backup> {
  const draft = `${file}.draft`;
  const scratchUrl = withDatabase(admin, 'postgres');
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await rm(draft, { force: true });
    await dropLeftovers({ adminUrl: scratchUrl, olderThanMs: leftoverMs, now: clock(), signal });
    const taken = await backup({ url: admin, file: draft, path, signal });
    const verdict = await restoreVerified({ backup: taken, scratchUrl, path, signal });
    if (!verdict.verified) {
      const hint = `Look whether ${dirname(file)} is full.`;
      throw new SluiceError('ERR_SERVICE', `it cannot be restored: ${verdict.message}`, { hint });
    }
    await sync(draft);
    await rename(draft, file);
    return { ...taken, file };
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    if (signal.aborted || !(error instanceof SluiceError || isOfFiles(error))) throw error;
    const own = error instanceof SluiceError ? error.hint : `${dirname(file)} has to have space and to be written to.`;
    const hint = `${own === undefined ? '' : `${own} `}Production was not touched; \`backup: none\` goes on without one.`;
    throw new SluiceError('ERR_GATE', `production has no backup: ${messageOf(error)}`, { hint, cause: error });
  }
}

/** A folder that is full, read-only or not there. */
function isOfFiles(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** On record first, then what is kept no more goes: a file that nobody knows is removed by the next backup. */
async function remember({ site, backups: folder, input, say }: OperationContext, made: BackupRecord): Promise<void> {
  const known = await site.read(recordName);
  const kept = [made, ...(await readBackups(site))].slice(0, Math.max(1, Number(input('keep_backups')) || 0));
  await site.write(recordName, kept as unknown as Json, known?.version);
  const files = new Set(kept.map(({ name }) => fileOf(name)));
  try {
    for (const file of await readdir(folder))
      if (/\.dump(\.draft)?$/.test(file) && !files.has(file)) await rm(join(folder, file), { force: true });
  } catch (error) {
    if (!isOfFiles(error)) throw error;
    say(`older backups stay until the next one: ${error.message}`);
  }
}

async function isEmpty({ admin }: DatabaseUrls, signal: AbortSignal): Promise<boolean> {
  const { tables } = await withConnection({ url: admin, signal }, readCatalog);
  return tables.size === 0;
}
