import { strengthOf } from './lock-modes.ts';
import type { LockMode } from './lock-modes.ts';

export interface TraceStep {
  readonly [column: string]: unknown;
  readonly pid: number;
  readonly event: string;
  readonly tag: string;
  readonly objects: readonly string[];
  readonly locks: readonly { readonly table: number; readonly mode: string }[];
  /** Milliseconds since the epoch, by the clock of the database. */
  readonly at: number;
}

export interface TracedStatement {
  /** As `ALTER TABLE public.users`. */
  readonly statement: string;
  readonly durationMs: number;
  /** What it locked more strongly than what came before it in its transaction: the strongest mode by table. */
  readonly locks: ReadonlyMap<string, LockMode>;
}

/** Statements from pairs of begin and end; `tables` are the names by oid, of those that were there before. */
export function readTrace(
  steps: readonly TraceStep[],
  tables: ReadonlyMap<number, string>,
): readonly TracedStatement[] {
  const found: TracedStatement[] = [];
  const begun = new Map<number, TraceStep>();
  for (const step of steps) {
    if (step.event === 'ddl_command_start') {
      begun.set(step.pid, step);
      continue;
    }
    const start = begun.get(step.pid);
    if (start === undefined) continue;
    begun.delete(step.pid);
    const before = strongest(start.locks, tables);
    const added = [...strongest(step.locks, tables)].filter(
      ([table, mode]) => strengthOf(mode) > strengthOf(before.get(table)),
    );
    const statement = [step.tag, ...step.objects.slice(0, 3)].join(' ');
    found.push({ statement, durationMs: Math.max(0, step.at - start.at), locks: new Map(added) });
  }
  return found;
}

/** The strongest of some locks by table. */
export function strongest(
  locks: TraceStep['locks'],
  tables: ReadonlyMap<number, string>,
): ReadonlyMap<string, LockMode> {
  const found = new Map<string, LockMode>();
  for (const { table, mode } of locks) {
    const name = tables.get(table);
    if (name !== undefined && strengthOf(mode) > strengthOf(found.get(name))) found.set(name, mode as LockMode);
  }
  return found;
}
