import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureRoles } from '../environments/database-roles.ts';
import type { DatabaseUrls } from '../environments/database-roles.ts';
import type { Site } from '../environments/site.ts';
import { restore } from '../migrations/backup/backup.ts';
import { databaseOf, quoteName, withConnection, withDatabase } from '../migrations/database/connection.ts';
import { databaseFromTemplate } from '../migrations/database/databases.ts';
import { defaultLimits } from '../migrations/apply/limits.ts';
import { SluiceError } from '../model/errors.ts';
import { fileOf, readBackups } from './backups.ts';
import type { BackupRecord } from './backups.ts';
import type { Operation, OperationContext } from './operation.ts';
import { isUnderWay, readProduction, writeProduction } from './production.ts';
import type { Production } from './production.ts';
import { evidenceOf } from './records.ts';

const swapMs = 120_000;
const endMs = 50;

/**
 * Puts a backup in the place of the production database: restored beside it, compared, and then swapped by name, so that nothing is lost when that fails. What was
 * there stays on the server under another name. ERR_GATE while a promotion is under way, for a backup that is not kept or cannot be restored, and for one whose schema
 * the live release was not tested on, unless `fit` is `any`.
 */
export const restoreProduction: Operation = async (context) => {
  const { site, say, database, backups: folder, programs: path, clock, signal } = context;
  if (database === undefined) throw new SluiceError('ERR_GATE', 'the backend has no database');
  const record = await readProduction(site);
  const wanted = await backupNamed(site, context.input('backup'));
  await requireFit(context, record.production, wanted);
  const { name, takenAt, migrated } = wanted;
  const adminUrl = withDatabase(database.admin, 'postgres');
  const made = await databaseFromTemplate({ adminUrl, purpose: 'restore', signal });
  try {
    const backup = { ...wanted, file: join(folder, fileOf(name)) };
    const verdict = await restore({ backup, url: made.url, exact: true, path, signal });
    if (!verdict.verified) {
      throw new SluiceError('ERR_GATE', `${name} cannot be restored: ${verdict.message}`, {
        hint: `Production was not touched. Restore another backup: sluice database backups ${site.backend.name}`,
      });
    }
    await ensureRoles(inDatabase(database, made.name), defaultLimits, signal);
    const own = databaseOf(database.admin);
    const replaced = `${own}_replaced_${new Date(clock()).toISOString().replaceAll(/\D/g, '').slice(0, 14)}`;
    const written = await writeProduction(site, record, {
      ...record.production,
      ...(migrated !== undefined && { migrated }),
    });
    try {
      await swap(adminUrl, { own, restored: made.name, replaced }, signal);
    } catch (error) {
      await writeProduction(site, written, record.production);
      throw error;
    }
    say(`production has what it had at ${takenAt}: ${verdict.tables} tables with ${verdict.rows} rows`);
    say(`what it had until now is the database ${replaced} on the same server; drop it when nobody needs it`);
    return { replaced };
  } catch (error) {
    await made.drop();
    throw error;
  }
};

async function backupNamed(site: Site, name: string): Promise<BackupRecord> {
  const kept = await readBackups(site);
  const found = kept.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = kept.length === 0 ? 'There is none.' : `There are ${kept.map((each) => each.name).join(', ')}.`;
  throw new SluiceError('ERR_GATE', `there is no backup ${JSON.stringify(name)}`, { hint: names });
}

/** Code goes on running while its data are changed under it: it must be code that works with them. */
async function requireFit(
  { site, input, say }: OperationContext,
  { live, promotion }: Production,
  { name, fingerprint }: BackupRecord,
): Promise<void> {
  if (isUnderWay(promotion)) {
    throw new SluiceError('ERR_GATE', `the promotion of ${promotion.release} is under way`, {
      hint: 'Wait until its run has ended.',
    });
  }
  if (live === undefined) return;
  const evidence = await evidenceOf(site, live);
  if (evidence?.schemas.includes(fingerprint) === true) return;
  const fact = `the tests of ${live}, which is live, did not pass on the schema of ${name}`;
  if (input('fit') !== 'any') {
    throw new SluiceError('ERR_GATE', fact, { hint: 'Where that is what you want, say so with --force.' });
  }
  say(fact);
}

function inDatabase({ admin, migrator, app }: DatabaseUrls, name: string): DatabaseUrls {
  return { admin: withDatabase(admin, name), migrator: withDatabase(migrator, name), app: withDatabase(app, name) };
}

interface Names {
  readonly own: string;
  readonly restored: string;
  readonly replaced: string;
}

/**
 * In one transaction, so that there is a database under the name at any time, whatever dies: a rename waits for those who are connected, and lets nobody in meanwhile. They are
 * ended until it is through.
 */
async function swap(url: string, { own, restored, replaced }: Names, signal: AbortSignal): Promise<void> {
  const renamed = new AbortController();
  const ended = endSessions(url, own, AbortSignal.any([signal, renamed.signal]));
  try {
    await withConnection({ url, signal }, async (connection) => {
      // All statements of one message are one transaction.
      await connection.query(
        `ALTER DATABASE ${quoteName(own)} RENAME TO ${quoteName(replaced)};
         ALTER DATABASE ${quoteName(restored)} RENAME TO ${quoteName(own)};
         COMMENT ON DATABASE ${quoteName(own)} IS NULL`,
      );
    });
  } finally {
    renamed.abort();
    await ended;
  }
}

/** Those of a database, until the signal comes. */
async function endSessions(url: string, database: string, signal: AbortSignal): Promise<void> {
  await withConnection({ url, signal: AbortSignal.timeout(swapMs) }, async (connection) => {
    while (!signal.aborted) {
      await connection.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database]);
      await sleep(endMs, undefined, { signal }).catch(() => undefined);
    }
  });
}
