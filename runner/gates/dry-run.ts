import { join } from 'node:path';
import { awaitDatabase, ensureRoles } from '../environments/database-roles.ts';
import type { DatabaseUrls, RoleLimits } from '../environments/database-roles.ts';
import type { Release } from '../environments/release.ts';
import { databaseOf, parseUrl, withDatabase } from '../migrations/database/connection.ts';
import { dropLeftovers } from '../migrations/database/databases.ts';
import { copySchema, readSchemaCopy } from '../migrations/dry-run/copy-schema.ts';
import type { SchemaCopy } from '../migrations/dry-run/copy-schema.ts';
import { dryRun } from '../migrations/dry-run/dry-run.ts';
import type { DryRun, TableImpact } from '../migrations/dry-run/dry-run.ts';
import { isStrong } from '../migrations/dry-run/lock-modes.ts';
import { classOfDiff } from '../migrations/schema/diff-schemas.ts';
import { trialOf } from '../model/backend.ts';
import { SluiceError } from '../model/errors.ts';
import { schemaFolder } from '../model/operations.ts';
import type { Operation, OperationContext } from './operation.ts';
import { refuseTooMuch } from './too-much.ts';
import type { Phase } from './too-much.ts';

const taskMs = 15 * 60_000;
/** Longer than any dry run: a server may have those of several backends. */
const leftoverMs = 60 * 60_000;
const mostTables = 50;

/** Copies production's schema into the workspace, for a step that has no way to production. */
export const copyProductionSchema: Operation = async ({ database, workspace, programs, say, signal }) => {
  if (database === undefined) return {};
  await awaitDatabase(database, signal);
  const copied = { url: database.admin, folder: join(workspace, schemaFolder), path: programs, signal };
  const { sizes } = await copySchema(copied);
  say(sizes.size === 0 ? 'production has no tables yet' : `the schema of production has ${sizes.size} tables`);
  return {};
};

/** What the step before has copied; undefined where the gate has no such step. */
export function copiedSchema({ workspace }: OperationContext): Promise<SchemaCopy | undefined> {
  return readSchemaCopy(join(workspace, schemaFolder)).catch(() => undefined);
}

export interface Trial {
  readonly database: DatabaseUrls;
  readonly release: Release;
  readonly script: string;
  readonly copy: SchemaCopy;
  /** A database of the testing server with the same schema, for a tool whose bookkeeping nobody knows: what it remembers is there. */
  readonly template: string | undefined;
  readonly phase: Phase;
  readonly lockTimeoutMs: number;
  /** The rules have judged each statement, with its waivers. */
  readonly isJudged: boolean;
}

/**
 * Runs the script on a copy of production's schema on the testing server, and tells what it changes and locks there. ERR_GATE when it fails there; where nothing was
 * judged before, also for a change that the live release may not survive, and for a lock that is held as long as the rows of a large table take.
 */
export async function tryOnProduction(context: OperationContext, trial: Trial): Promise<DryRun> {
  const { site, say, programs, clock, input, signal } = context;
  const { database, release, script, copy, template, phase, lockTimeoutMs, isJudged } = trial;
  const scratchUrl = withDatabase(database.admin, 'postgres');
  const takesOver = site.backend.preview !== undefined;
  await dropLeftovers({ adminUrl: scratchUrl, olderThanMs: leftoverMs, now: clock(), signal });
  const tried = await dryRun({
    copy,
    ...(template !== undefined && { template }),
    scratchUrl,
    path: programs,
    signal,
    prepare: (url) => prepare(database, databaseOf(url), { lockTimeoutMs, takesOver }, signal),
    run: async ({ url, signal: ended }) => {
      const name = databaseOf(url);
      const environment = trialOf(site.backend);
      const end = await site.task(environment, release, {
        group: `dry-run-${environment}`,
        name: name.replaceAll('_', '-'),
        database: name,
        script,
        timeoutMs: taskMs,
        signal: ended,
      });
      if (end.output !== '') say(end.output);
      return end;
    },
  });
  tell(tried, say);
  if (tried.end.exitCode !== 0) {
    throw new SluiceError(
      'ERR_GATE',
      `the migration fails on the schema of production with exit code ${tried.end.exitCode}`,
      {
        hint: 'What the command wrote stands above. Production was not touched. Where its tables of bookkeeping are unknown to Sluice, and production is not as testing was, use `dry_run: none`.',
      },
    );
  }
  if (isJudged) return tried;
  refuseTooMuch(classOfDiff(tried.changes), phase);
  const [lasting] = tried.tables.filter((table) => table.lasting);
  if (lasting !== undefined && input('long_locks') !== 'accept') throw lastingLock(lasting);
  return tried;
}

/** Strong locks by table, as JSON: a value of the step. */
export function lockReport({ tables }: Pick<DryRun, 'tables'>): string {
  const strong = tables.filter(({ mode }) => isStrong(mode)).slice(0, mostTables);
  return JSON.stringify(
    strong.map(({ table, mode, rewritten, rows, bytes, flagged }) => ({
      ...{ table, mode, rewritten, bytes, large: flagged },
      ...(rows !== undefined && { rows }),
    })),
  );
}

/** As the testing database is made ready. Answers whose its tables are. */
async function prepare(
  { admin, migrator, app }: DatabaseUrls,
  name: string,
  limits: RoleLimits,
  signal: AbortSignal,
): Promise<string> {
  const [scratchAdmin, scratchMigrator, scratchApp] = [admin, migrator, app].map((url) => withDatabase(url, name));
  await ensureRoles(
    { admin: scratchAdmin ?? '', migrator: scratchMigrator ?? '', app: scratchApp ?? '' },
    limits,
    signal,
  );
  return decodeURIComponent(parseUrl(migrator).username);
}

function tell({ statements, tables, traced }: DryRun, say: (line: string) => void): void {
  say('on a copy of the schema of production:');
  for (const { statement, durationMs, locks } of statements) {
    const held = [...locks].map(([table, mode]) => `${mode} on ${table}`).join(', ');
    say(`  ${statement}, ${Math.round(durationMs)} ms without rows${held === '' ? '' : `, ${held}`}`);
  }
  for (const table of tables.filter(({ mode }) => isStrong(mode))) say(`  ${describe(table)}`);
  if (!traced) say('  the account cannot watch each statement: locks of a moment are missing');
}

function describe({ table, mode, rewritten, rows, bytes, flagged, lasting }: TableImpact): string {
  const size = `${rows === undefined ? 'never counted' : `about ${rows} rows`}, ${Math.ceil(bytes / 1024)} KiB`;
  const how = lasting ? ', for as long as its rows take' : '';
  return `${flagged ? 'large: ' : ''}${table} (${size}): ${mode}${rewritten ? ', written anew' : ''}${how}`;
}

function lastingLock({ table, mode, rewritten }: TableImpact): SluiceError {
  const why = rewritten ? 'is written anew' : 'gets an index';
  return new SluiceError('ERR_GATE', `${table} is large and ${why} while others wait for it (${mode})`, {
    hint: 'docs/migrations.md has ways without that lock; `long_locks: accept` lets it through.',
  });
}
