import { formatDuration } from '../../model/duration.ts';
import type { StepReport } from '../../results/report/step-report.ts';
import type { Palette } from '../terminal/palette.ts';
import { fit, fitName, padTo, widthOf } from '../terminal/text.ts';
import { leavesOf } from './run-tree.ts';
import type { TreeNode } from './run-tree.ts';
import { stepDetail, stepTime } from './step-detail.ts';
import { markOf, paintState, stateOf, tally } from './step-mark.ts';
import type { StepMark } from './step-mark.ts';
import { count } from './words.ts';

export interface TreeOptions {
  readonly columns: number;
  /** At most this many lines; the least interesting steps are counted instead of shown. */
  readonly rows: number;
  readonly now: number;
  readonly palette: Palette;
  /** Whether marks move. */
  readonly animated: boolean;
  /** Last line that a running step wrote. */
  readonly lastLine?: (step: StepReport) => string | undefined;
}

/** So that the columns stay where they are for the first minute. */
const leastTimeWidth = 6;

interface Row {
  readonly depth: number;
  readonly label: string;
  /** Without the name that stands on the line above, for where the label does not fit. */
  readonly short: string;
  readonly state: StepMark;
  readonly time: string;
  readonly detail: string;
  readonly steps: number;
}

/** The tree of steps as lines of text, each with mark, name, time and what there is to say. */
export function treeLines(nodes: readonly TreeNode[], options: TreeOptions): readonly string[] {
  const rows = nodes.flatMap((node) => rowsOf(node, 0, options));
  const [shown, hidden] = choose(rows, options.rows);
  const widest = Math.max(0, ...shown.map((row) => 2 * row.depth + widthOf(row.label)));
  const labelWidth = Math.min(widest, Math.max(12, Math.floor(options.columns * 0.4)));
  const timeWidth = Math.max(leastTimeWidth, ...shown.map((row) => row.time.length));
  const lines = shown.map((row) => lineOf(row, labelWidth, timeWidth, options));
  if (hidden.length === 0) return lines;
  const states = hidden.filter((row) => row.steps === 1).map((row) => row.state);
  return [...lines, options.palette.faint(`  … and ${tally(states)}`)];
}

function rowsOf(node: TreeNode, depth: number, options: TreeOptions): readonly Row[] {
  if (node.children.length === 0) return [leafRow(node, depth, options)];
  const parent = parentRow(node, depth, options);
  const below = node.children.flatMap((child) => rowsOf(child, depth + 1, options));
  const same = commonDetail(below);
  return same === undefined ? [parent, ...below] : [{ ...parent, detail: `${count(parent.steps, 'step')} · ${same}` }];
}

/** What all rows say when none of them has anything of its own to say: all wait for the same, or are skipped for the same. */
function commonDetail(rows: readonly Row[]): string | undefined {
  const [first] = rows;
  if (rows.length < 2 || !first || (first.state !== 'pending' && first.state !== 'skipped')) return undefined;
  return rows.every(({ state, detail }) => state === first.state && detail === first.detail) ? first.detail : undefined;
}

function leafRow({ label, step }: TreeNode, depth: number, options: TreeOptions): Row {
  const state = step ? stateOf(step) : 'pending';
  const wrote = state === 'running' && step ? options.lastLine?.(step) : undefined;
  const detail = step ? [stepDetail(step, options.now), wrote ?? ''].filter((text) => text !== '').join('  ') : '';
  return {
    depth,
    label,
    short: shortLabel(label, step),
    state,
    time: step ? stepTime(step, options.now) : '',
    detail,
    steps: 1,
  };
}

function parentRow(node: TreeNode, depth: number, { now }: TreeOptions): Row {
  const leaves = leavesOf(node);
  const states = leaves.map(stateOf);
  const state = together(states);
  const starts = leaves.flatMap((leaf) => leaf.startedAt ?? []);
  const ended = leaves.every((leaf) => leaf.outcome !== undefined);
  const end = ended ? Math.max(...leaves.map((leaf) => leaf.finishedAt ?? 0)) : now;
  const time = starts.length === 0 ? '' : formatDuration(end - Math.min(...starts));
  return {
    depth,
    label: node.label,
    short: shortLabel(node.label, node.step),
    state,
    time,
    detail: tally(states),
    steps: leaves.length,
  };
}

function shortLabel(label: string, step: StepReport | undefined): string {
  const above = step?.matrix ?? step?.group;
  return above === undefined ? label : `…${label.slice(above.length + 1)}`;
}

const severity: readonly StepMark[] = ['running', 'approval', 'failed', 'errored', 'cancelled', 'pending', 'succeeded'];

function together(states: readonly StepMark[]): StepMark {
  return severity.find((state) => states.includes(state)) ?? 'skipped';
}

/** Running and red steps first, then those to come, then the green ones; all in their order. */
function choose(rows: readonly Row[], limit: number): readonly [readonly Row[], readonly Row[]] {
  if (rows.length <= limit) return [rows, []];
  const ranked = rows.toSorted((a, b) => rankOf(a) - rankOf(b) || a.depth - b.depth);
  const kept = new Set(ranked.slice(0, Math.max(0, limit - 1)));
  return [rows.filter((row) => kept.has(row)), rows.filter((row) => !kept.has(row))];
}

function rankOf({ state }: Row): number {
  if (state === 'succeeded' || state === 'skipped') return 2;
  return state === 'pending' ? 1 : 0;
}

function lineOf(row: Row, labelWidth: number, timeWidth: number, options: TreeOptions): string {
  const { palette, columns } = options;
  const paint = paintState(row.state, palette);
  const indent = '  '.repeat(row.depth);
  const room = labelWidth - indent.length;
  const label = padTo(widthOf(row.label) <= room ? row.label : fitName(row.short, room), room);
  const name = row.state === 'pending' ? palette.faint(label) : label;
  const time = palette.faint(row.time.padStart(timeWidth));
  const rest = columns - labelWidth - timeWidth - 6;
  const detail = rest > 3 ? fit(row.detail, rest) : '';
  const tone = row.state === 'failed' || row.state === 'errored' || row.state === 'approval' ? paint : palette.faint;
  return `${indent}${markOf(row.state, options)} ${name}  ${time}  ${tone(detail)}`.trimEnd();
}
