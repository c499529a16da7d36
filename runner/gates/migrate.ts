import { awaitServer, ensureRoles } from '../environments/database-roles.ts';
import type { DatabaseUrls } from '../environments/database-roles.ts';
import type { EnvironmentName, Release } from '../environments/release.ts';
import { migrate } from '../migrations/apply/migrate.ts';
import type { MigrateResult } from '../migrations/apply/migrate.ts';
import { withConnection } from '../migrations/database/connection.ts';
import { classOfDiff, diffSchemas } from '../migrations/schema/diff-schemas.ts';
import { readSchema } from '../migrations/schema/read-schema.ts';
import { detectTool } from '../migrations/tools/detect-tool.ts';
import type { DetectedTool } from '../migrations/tools/detect-tool.ts';
import { readStatus } from '../migrations/tools/read-status.ts';
import { trialOf } from '../model/backend.ts';
import { parseDuration } from '../model/duration.ts';
import { SluiceError } from '../model/errors.ts';
import { ownRelease } from './deploy-test.ts';
import { judgeMigrations } from './judge-migrations.ts';
import type { Phase } from './judge-migrations.ts';
import type { Operation, OperationContext } from './operation.ts';
import { readProduction } from './production.ts';
import { freshDatabase, keepDatabase } from './testing-database.ts';
import { readMigration, recordMigration } from './records.ts';
import type { MigrationRecord } from './records.ts';

const taskMs = 15 * 60_000;

/** Makes the testing database, or that of a preview, as the live release left it, and brings it to the schema of this commit. ERR_GATE for a change that the live release may not survive. */
export const migrateTesting: Operation = async (context) => {
  const { site, run, signal, database } = context;
  if (database === undefined) {
    throw new SluiceError('ERR_GATE', 'the backend has no database', {
      hint: 'Write `backend: { database: { engine: postgres } }`.',
    });
  }
  const release = await ownRelease(context);
  const { live, previous, migrated } = (await readProduction(site)).production;
  // What production has, also when the release that brought it there was taken back.
  const base = migrated ?? live;
  try {
    const migration = await applyToTesting(context, release, database, base);
    const others = [base, live, previous].filter((name) => name !== undefined);
    // No release of a preview is ever live, so nobody will begin with what it made.
    if (site.backend.preview === undefined) await keepDatabase(database, release.name, others, signal);
    await recordMigration(site, run, migration);
    return { schema: migration.fingerprint, change: migration.change };
  } catch (error) {
    // Whoever looks at the testing app should find what production has, and not half of a change.
    if (!signal.aborted) await begin(context, database, base).catch(() => undefined);
    throw error;
  }
};

async function applyToTesting(
  context: OperationContext,
  release: Release,
  database: DatabaseUrls,
  base: string | undefined,
): Promise<MigrationRecord> {
  const { site, input, say, signal } = context;
  await awaitServer(database, signal);
  const environment = trialOf(site.backend);
  const begun = await begin(context, database, base);
  say(`the ${environment} database is ${begun === 'copied' ? `what ${base ?? ''} left` : 'empty'}`);
  const tool = await toolOf(context);
  const phase: Phase = input('phase') === 'contract' ? 'contract' : 'expand';
  const isJudged = tool !== undefined && (await judgeMigrations(context, database.migrator, tool, phase));
  const before = await withConnection({ url: database.migrator, signal }, readSchema);
  const script = input('run');
  const result = await carryOut(context, environment, release, { script, database, tool });
  const after = await withConnection({ url: database.migrator, signal }, readSchema);
  const changes = diffSchemas(before, after);
  const change = classOfDiff(changes);
  for (const { kind, name, change: what, class: grade } of changes) say(`${what} ${kind} ${name} (${grade})`);
  if (!isJudged && begun === 'copied' && isTooMuch(change, phase)) {
    throw new SluiceError('ERR_GATE', `the live release may not survive the migration: it is of the class ${change}`, {
      hint: 'Add first, and take away what nobody uses any more in a later release (docs/migrations.md).',
    });
  }
  await seed(context, release, begun);
  return { script, fingerprint: result.fingerprintAfter, change };
}

/**
 * Migrates the production database with the image of the release, where its run migrated the testing database. Answers whether it did. ERR_GATE when that
 * fails, or gives another schema.
 */
export async function migrateProduction(context: OperationContext, release: Release): Promise<boolean> {
  const { site, database, say } = context;
  if (database === undefined) return false;
  await prepare(context, database);
  const record = await readMigration(site, release.run);
  if (record === undefined) return false;
  const { script, fingerprint } = record;
  const tool = await toolOf(context);
  const { fingerprintAfter } = await carryOut(context, 'production', release, { script, database, tool });
  if (fingerprintAfter !== fingerprint) {
    throw new SluiceError(
      'ERR_GATE',
      `the schema of production is another one than ${release.name} was tested on: ${fingerprintAfter} instead of ${fingerprint}`,
      {
        hint: 'Somebody changed one of the two by hand; bring production to what the migrations say. No traffic was moved.',
      },
    );
  }
  say('the production database has the schema that was tested');
  return true;
}

/** The database as a release left it, for the roles of its environment. */
async function begin(
  context: OperationContext,
  database: DatabaseUrls,
  base: string | undefined,
): Promise<'copied' | 'empty'> {
  const begun = await freshDatabase(database, base, context.signal, context.origin);
  await prepare(context, database);
  return begun;
}

async function prepare({ site, input, signal }: OperationContext, database: DatabaseUrls): Promise<void> {
  const takesOver = site.backend.preview !== undefined;
  await ensureRoles(database, { lockTimeoutMs: lockTimeoutOf(input), takesOver }, signal);
}

interface Work {
  readonly script: string;
  readonly database: DatabaseUrls;
  readonly tool: DetectedTool | undefined;
}

/** Under the lock of the database, with limits, twice: the second time there must be nothing left to do. */
async function carryOut(
  context: OperationContext,
  environment: EnvironmentName,
  release: Release,
  { script, database, tool }: Work,
): Promise<MigrateResult> {
  const { site, say, input, signal, attempt } = context;
  let tasks = 0;
  const result = await migrate({
    url: database.migrator,
    dedicated: true,
    limits: { lockTimeoutMs: lockTimeoutOf(input) },
    signal,
    ...(tool && { status: (connection) => readStatus(tool, connection) }),
    run: async ({ env, signal: ended }) => {
      tasks += 1;
      const { exitCode, output } = await site.task(environment, release, {
        group: `migrate-${environment}`,
        name: `migrate-${environment}-${release.name}-${attempt}-${tasks}`,
        script,
        env: sessionSettings(env),
        timeoutMs: taskMs,
        signal: ended,
      });
      if (output !== '') say(output);
      return { exitCode, output };
    },
  });
  if (result.outcome === 'succeeded') return result;
  throw new SluiceError('ERR_GATE', `${environment} could not be migrated: ${result.message ?? result.fault ?? ''}`, {
    hint: 'What the command wrote stands above.',
  });
}

/** What tells sessions of the migration from others, and their limits. The password stays in its Secret. */
function sessionSettings({ PGOPTIONS = '', PGAPPNAME = '' }: Readonly<Record<string, string>>) {
  return { ...(PGOPTIONS !== '' && { PGOPTIONS }), ...(PGAPPNAME !== '' && { PGAPPNAME }) };
}

async function seed(
  { site, say, signal, attempt }: OperationContext,
  release: Release,
  begun: 'copied' | 'empty',
): Promise<void> {
  const script = site.backend.database?.seed;
  if (script === undefined || begun === 'copied') return;
  const name = `seed-${release.name}-${attempt}`;
  const environment = trialOf(site.backend);
  const { exitCode, output } = await site.task(environment, release, {
    group: `seed-${environment}`,
    name,
    script,
    timeoutMs: taskMs,
    signal,
  });
  if (output !== '') say(output);
  if (exitCode === 0) return;
  throw new SluiceError('ERR_GATE', `the seed of the ${environment} database ended with exit code ${exitCode}`);
}

/** Plain SQL files count only when they are asked for: without a tool that is known nobody can say which of them were applied. */
async function toolOf({ workspace, input }: OperationContext): Promise<DetectedTool | undefined> {
  const wanted = input('tool');
  const found = await detectTool(workspace, wanted === '' ? {} : { wanted });
  return wanted === '' && found?.tool.name === 'sql' ? undefined : found;
}

function isTooMuch(change: ReturnType<typeof classOfDiff>, phase: Phase): boolean {
  return change === 'breaking' || (change === 'contract' && phase !== 'contract');
}

function lockTimeoutOf(input: OperationContext['input']): number {
  return parseDuration(input('lock_timeout')) ?? 3_000;
}
