import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classifyScripts } from '../migrations/classify/classify.ts';
import { withConnection } from '../migrations/database/connection.ts';
import type { Catalog } from '../migrations/catalog.ts';
import type { SchemaCopy } from '../migrations/dry-run/copy-schema.ts';
import { readCatalog } from '../migrations/schema/read-catalog.ts';
import { readStatus } from '../migrations/tools/read-status.ts';
import type { DetectedTool } from '../migrations/tools/detect-tool.ts';
import { SluiceError } from '../model/errors.ts';
import type { OperationContext } from './operation.ts';
import type { Phase } from './too-much.ts';

export interface Judgement {
  /** Migrations that are still to be applied. */
  readonly pending: number;
  /** All of them are SQL, and every statement was let through: what a tool writes itself is known only by what it does. */
  readonly isWhole: boolean;
}

/**
 * Judges the SQL that is still to be applied to the testing database by what it would do to the live release, on tables of the sizes that production has. ERR_GATE for
 * SQL that must not run.
 */
export async function judgeMigrations(
  { workspace, say, clock, signal }: OperationContext,
  { url, sizes }: { readonly url: string; readonly sizes: SchemaCopy['sizes'] | undefined },
  { tool, site }: DetectedTool,
  phase: Phase,
): Promise<Judgement> {
  const { status, catalog } = await withConnection({ url, signal }, async (connection) => ({
    status: await readStatus({ tool, site }, connection),
    catalog: asLargeAs(sizes, await readCatalog(connection)),
  }));
  const pending = new Set(status.pending);
  const files = (await tool.files(site)).filter(({ name, path }) => pending.has(name) && path.endsWith('.sql'));
  if (status.changed.length > 0) say(`changed since they were applied: ${status.changed.join(', ')}`);
  if (status.outOfOrder.length > 0) say(`behind what was applied already: ${status.outOfOrder.join(', ')}`);
  const scripts = await Promise.all(
    files.map(async ({ path }) => ({ file: path, sql: await readFile(join(workspace, path), 'utf8') })),
  );
  const today = new Date(clock()).toISOString().slice(0, 10);
  const judged = await classifyScripts(scripts, { today, catalog, phase, transactional: tool.transactional });
  for (const { file, class: change } of judged) say(`${file}: ${change}`);
  const problems = judged.flatMap((script) => script.problems);
  if (problems.length > 0) {
    for (const { file, line, column, message, code, hint = '' } of problems) {
      say(`${file}:${line}:${column} ${message} [${code}]\n  ${hint}`);
    }
    throw new SluiceError(
      'ERR_GATE',
      `the migration must not run beside the live release: ${problems.length} problems`,
      {
        hint: 'docs/migrations.md has the rules, and how a statement is let through for a reason.',
      },
    );
  }
  return { pending: pending.size, isWhole: judged.length > 0 && judged.length === pending.size };
}

/** The testing database has few rows: what it has of each table says nothing of production. Where nobody looked at that, each may be large. */
function asLargeAs(sizes: SchemaCopy['sizes'] | undefined, { tables }: Catalog): Catalog {
  if (sizes?.size === 0) return { tables };
  if (sizes === undefined)
    return { tables: new Map([...tables].map(([name, table]) => [name, { ...table, rows: undefined }])) };
  const sized = [...tables].map(([name, table]) => {
    const { rows, bytes = 0 } = sizes.get(name) ?? { rows: undefined };
    return [name, { ...table, rows: rows ?? mostRowsIn(bytes), bytes }] as const;
  });
  return { tables: new Map(sized) };
}

/** Header and pointer of a row (postgresql.org/docs/current/storage-page-layout.html). */
const leastRowBytes = 28;

/** Small tables are never analysed, but have a size. None for a partitioned table, whose rows are elsewhere. */
function mostRowsIn(bytes: number): number | undefined {
  return bytes === 0 ? undefined : Math.ceil(bytes / leastRowBytes);
}
