import { awaitDatabase, ensureRoles } from '../environments/database-roles.ts';
import type { DatabaseUrls } from '../environments/database-roles.ts';
import type { EnvironmentName, Release } from '../environments/release.ts';
import { migrate } from '../migrations/apply/migrate.ts';
import type { MigrateResult } from '../migrations/apply/migrate.ts';
import { databaseOf, withConnection } from '../migrations/database/connection.ts';
import type { SchemaCopy } from '../migrations/dry-run/copy-schema.ts';
import type { DryRun } from '../migrations/dry-run/dry-run.ts';
import { changedTables, classOfDiff, diffSchemas } from '../migrations/schema/diff-schemas.ts';
import type { SchemaChange } from '../migrations/schema/diff-schemas.ts';
import { fingerprintOf, readSchema } from '../migrations/schema/read-schema.ts';
import type { SchemaSnapshot } from '../migrations/schema/read-schema.ts';
import { detectTool } from '../migrations/tools/detect-tool.ts';
import type { DetectedTool } from '../migrations/tools/detect-tool.ts';
import { readStatus } from '../migrations/tools/read-status.ts';
import { trialOf } from '../model/backend.ts';
import { parseDuration } from '../model/duration.ts';
import { SluiceError } from '../model/errors.ts';
import { backUp } from './backups.ts';
import { ownRelease } from './deploy-test.ts';
import { copiedSchema, lockReport, tryOnProduction } from './dry-run.ts';
import { judgeMigrations } from './judge-migrations.ts';
import type { Judgement } from './judge-migrations.ts';
import type { Operation, OperationContext } from './operation.ts';
import { readProduction } from './production.ts';
import type { BackupFacts } from './production.ts';
import { readMigration, recordMigration } from './records.ts';
import type { MigrationRecord } from './records.ts';
import { freshDatabase, keepDatabase, keptDatabase } from './testing-database.ts';
import { refuseTooMuch } from './too-much.ts';
import type { Phase } from './too-much.ts';

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
    const { fingerprint: schema, change, locks } = migration;
    return { schema, change, ...(locks !== undefined && { locks }) };
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
  await awaitDatabase(database, signal);
  const environment = trialOf(site.backend);
  const begun = await begin(context, database, base);
  say(`the ${environment} database is ${begun === 'copied' ? `what ${base ?? ''} left` : 'empty'}`);
  const tool = await toolOf(context, input('tool'));
  const phase: Phase = input('phase') === 'contract' ? 'contract' : 'expand';
  const script = input('run');
  const copy = await copiedSchema(context);
  const judged = tool && (await judgeMigrations(context, { url: database.migrator, sizes: copy?.sizes }, tool, phase));
  const isJudged = judged?.isWhole === true;
  const before = await withConnection({ url: database.migrator, signal }, readSchema);
  const isWanted = input('dry_run') !== 'none' && copy !== undefined && !isIdle(copy, judged, before);
  // Of a tool that is known the copy has what it remembers of production itself.
  const isLikeProduction = tool === undefined && begun === 'copied' && copy?.fingerprint === fingerprintOf(before);
  const { origin = databaseOf(database.admin) } = context;
  const template = isLikeProduction && base !== undefined ? keptDatabase(origin, base) : undefined;
  const trial = { database, release, script, template, phase, isJudged, lockTimeoutMs: lockTimeoutOf(input) };
  const tried = isWanted ? await tryOnProduction(context, { ...trial, copy }) : undefined;
  const result = await carryOut(context, environment, release, { script, database, tool });
  const after = await withConnection({ url: database.migrator, signal }, readSchema);
  const changes = diffSchemas(before, after);
  const change = classOfDiff(changes);
  for (const { kind, name, change: what, class: grade } of changes) say(`${what} ${kind} ${name} (${grade})`);
  if (tried !== undefined) requireSame(tried, after);
  else if (!isJudged && begun === 'copied') refuseTooMuch(change, phase);
  await seed(context, release, begun);
  const { fingerprintAfter: fingerprint } = result;
  return {
    script,
    tool: input('tool'),
    fingerprint,
    change,
    tables: tablesOf(changes),
    locks: tried === undefined ? '[]' : lockReport(tried),
  };
}

/** There is nothing to try: production has no tables, or all that testing has, and the tool has nothing left to apply. */
function isIdle(copy: SchemaCopy, judged: Judgement | undefined, testing: SchemaSnapshot): boolean {
  return copy.sizes.size === 0 || (judged?.pending === 0 && copy.fingerprint === fingerprintOf(testing));
}

/** ERR_GATE when production would come to another schema than the one that is tested: somebody changed it by hand. */
function requireSame({ after: production }: DryRun, testing: SchemaSnapshot): void {
  const [first, ...others] = diffSchemas(testing, production);
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  throw new SluiceError(
    'ERR_GATE',
    `production would come to another schema than the one that is tested: ${first.kind} ${first.name} is ${first.change} there${more}`,
    { hint: 'Somebody changed one of the two by hand; bring production to what the migrations say.' },
  );
}

/** Those that were there before: what a release before this one may use. */
function tablesOf(changes: readonly SchemaChange[]): readonly string[] {
  const made = new Set(
    changes.filter(({ kind, change }) => kind === 'table' && change === 'added').map(({ name }) => name),
  );
  return changedTables(changes).filter((table) => !made.has(table));
}

/**
 * Migrates the production database with the image of the release, where its run migrated the testing database. Answers whether it did. ERR_GATE when that
 * fails, or gives another schema.
 */
export async function migrateProduction(
  context: OperationContext,
  release: Release,
  backup: BackupPlace,
): Promise<boolean> {
  const { site, database, say, signal } = context;
  if (database === undefined) return false;
  await awaitDatabase(database, signal);
  await prepare(context, database);
  const record = await readMigration(site, release.run);
  if (record === undefined) return false;
  const { script, fingerprint } = record;
  const tool = await toolOf(context, record.tool);
  await secure(context, release, { script, database, tool }, backup);
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

/** Where it is on record that the database was backed up for this promotion. */
export interface BackupPlace {
  readonly known: BackupFacts | undefined;
  /** Called before anything is changed. */
  readonly taken: (backup: BackupFacts) => Promise<void>;
}

/** Backs the database up, unless the tool is known to have nothing to do. */
async function secure(
  context: OperationContext,
  release: Release,
  { database, tool }: Work,
  { known, taken }: BackupPlace,
): Promise<void> {
  const { input, say, signal } = context;
  if (known !== undefined) return;
  if (input('backup') === 'none') {
    say('no backup was wanted');
    return;
  }
  if (tool !== undefined) {
    const { pending, incomplete } = await withConnection({ url: database.admin, signal }, (connection) =>
      readStatus(tool, connection),
    );
    if (pending.length + incomplete.length === 0) return;
  }
  const made = await backUp(context, database, release);
  if (made === undefined) return;
  const { name, bytes, sha256, takenAt } = made;
  await taken({ name, bytes, sha256, takenAt });
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
  const group = `migrate-${environment}`;
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
        group,
        name: `migrate-${environment}-${release.name}-${attempt}-${tasks}`,
        script,
        env: sessionSettings(env),
        timeoutMs: taskMs,
        signal: ended,
      });
      if (output !== '') say(output);
      return { exitCode, output };
    },
  }).finally(async () => {
    // It would come back with new sessions.
    if (signal.aborted) await site.endTasks(group);
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
async function toolOf({ workspace }: OperationContext, wanted = ''): Promise<DetectedTool | undefined> {
  const found = await detectTool(workspace, wanted === '' ? {} : { wanted });
  return wanted === '' && found?.tool.name === 'sql' ? undefined : found;
}

function lockTimeoutOf(input: OperationContext['input']): number {
  return parseDuration(input('lock_timeout')) ?? 3_000;
}
