import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classifyScripts } from '../migrations/classify/classify.ts';
import { withConnection } from '../migrations/database/connection.ts';
import { readCatalog } from '../migrations/schema/read-catalog.ts';
import { readStatus } from '../migrations/tools/read-status.ts';
import type { DetectedTool } from '../migrations/tools/detect-tool.ts';
import { SluiceError } from '../model/errors.ts';
import type { OperationContext } from './operation.ts';

export type Phase = 'expand' | 'contract';

/**
 * Judges the SQL that is still to be applied by what it would do to the live release. Answers whether there was any to judge: what a tool writes itself is
 * known only by what it does. ERR_GATE for SQL that must not run.
 */
export async function judgeMigrations(
  { workspace, say, clock, signal }: OperationContext,
  url: string,
  { tool, site }: DetectedTool,
  phase: Phase,
): Promise<boolean> {
  const { status, catalog } = await withConnection({ url, signal }, async (connection) => ({
    status: await readStatus({ tool, site }, connection),
    catalog: await readCatalog(connection),
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
  return judged.length > 0 && judged.length === pending.size;
}
