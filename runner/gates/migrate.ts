import { ensureRoles } from '../environments/database-roles.ts';
import type { Release } from '../environments/release.ts';
import { parseDuration } from '../model/duration.ts';
import { SluiceError } from '../model/errors.ts';
import type { Operation, OperationContext } from './operation.ts';

const migrationMs = 15 * 60_000;

/** Waits for the testing database, and makes the roles that migrations and the app come with. */
export const prepareDatabase: Operation = async ({ database, input, say, signal }) => {
  if (database === undefined) {
    throw new SluiceError('ERR_GATE', 'the backend has no database', {
      hint: 'Write `backend: { database: { engine: postgres } }`.',
    });
  }
  await ensureRoles(database, { lockTimeoutMs: parseDuration(input('lock_timeout')) ?? 0 }, signal);
  say('the testing database is ready');
  return {};
};

/** Puts the script on record that production is migrated with: the same as the testing database. */
export const recordMigration: Operation = async ({ site, run, input }) => {
  const name = `migration-${run}`;
  const known = await site.read(name);
  await site.write(name, { script: input('run') }, known?.version);
  return {};
};

/** Migrates the production database with the image of the release, where its run migrated the testing database. ERR_GATE when that fails. */
export async function migrateProduction(context: OperationContext, release: Release): Promise<void> {
  const { site, database, input, say, signal } = context;
  if (database === undefined) return;
  await ensureRoles(database, { lockTimeoutMs: parseDuration(input('lock_timeout')) ?? 0 }, signal);
  const record = await site.read(`migration-${release.run}`);
  const script = (record?.value as { readonly script?: string } | undefined)?.script;
  if (script === undefined) return;
  const task = { name: `migrate-${release.name}`, script, timeoutMs: migrationMs, signal };
  const { exitCode, output } = await site.task('production', release, task);
  if (output !== '') say(output);
  if (exitCode === 0) {
    say('the production database is migrated');
    return;
  }
  throw new SluiceError('ERR_GATE', `the migration of the production database ended with exit code ${exitCode}`, {
    hint: 'Its output stands above. No traffic was moved.',
  });
}
