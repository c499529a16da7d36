import type { Combination, Matrix } from './pipeline-file.generated.ts';

/** One combination of a matrix. `suffix` names it within its step: `22`, `linux-arm64`. */
export interface Cell {
  readonly suffix: string;
  readonly values: Readonly<Record<string, string>>;
}

/** Something wrong with a matrix, at a path below it. */
export interface MatrixFault {
  readonly code: 'matrix-too-large' | 'matrix-exclude' | 'matrix-empty' | 'matrix-duplicate';
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint: string;
}

export type Expanded =
  | { readonly ok: true; readonly cells: readonly Cell[] }
  | { readonly ok: false; readonly faults: readonly MatrixFault[] };

export const maxCells = 256;
const maxSuffix = 60;

function axesOf(matrix: Matrix): readonly (readonly [string, readonly string[]])[] {
  return Object.entries(matrix).flatMap(([name, values]) =>
    name === 'include' || name === 'exclude' || !Array.isArray(values)
      ? []
      : [[name, values as readonly string[]] as const],
  );
}

/** Names that `matrix.…` can have: axes, and whatever `include` adds. */
export function matrixNames(matrix: Matrix): ReadonlySet<string> {
  return new Set([
    ...axesOf(matrix).map(([name]) => name),
    ...(matrix.include ?? []).flatMap((added) => Object.keys(added)),
  ]);
}

/** All combinations of the axes in order, less those of `exclude`, and then those of `include`. */
export function expandMatrix(matrix: Matrix): Expanded {
  const axes = axesOf(matrix);
  const count =
    (axes.length > 0 ? axes.reduce((product, [, values]) => product * values.length, 1) : 0) +
    (matrix.include?.length ?? 0);
  if (count > maxCells) return { ok: false, faults: [tooLarge(count)] };
  const product = axes.length > 0 ? combinations(axes) : [];
  const faults = excludeFaults(matrix.exclude ?? [], product);
  const kept = product.filter((cell) => !(matrix.exclude ?? []).some((excluded) => fits(cell, excluded)));
  for (const [index, added] of (matrix.include ?? []).entries()) {
    if (kept.some((cell) => same(cell, added))) faults.push(duplicate(index));
    kept.push(added);
  }
  if (kept.length === 0) faults.push(empty);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, cells: named(kept) };
}

function combinations(axes: readonly (readonly [string, readonly string[]])[]): Combination[] {
  let cells: Combination[] = [{}];
  for (const [name, values] of axes)
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [name]: value })));
  return cells;
}

function fits(cell: Combination, pattern: Combination): boolean {
  return Object.entries(pattern).every(([name, value]) => cell[name] === value);
}

function same(a: Combination, b: Combination): boolean {
  return fits(a, b) && fits(b, a);
}

function excludeFaults(excluded: readonly Combination[], product: readonly Combination[]): MatrixFault[] {
  return [...excluded.entries()]
    .filter(([, pattern]) => !product.some((cell) => fits(cell, pattern)))
    .map(([index]) => ({
      code: 'matrix-exclude',
      path: ['exclude', index],
      message: 'This entry of `exclude` fits no combination of the matrix.',
      hint: 'Use names of axes and values that they have, or delete the entry.',
    }));
}

function tooLarge(count: number): MatrixFault {
  return {
    code: 'matrix-too-large',
    path: [],
    message: `The matrix has ${count > Number.MAX_SAFE_INTEGER ? 'far too many' : String(count)} combinations; ${maxCells} are allowed.`,
    hint: 'Take out values or axes, or list the combinations that matter in `include`.',
  };
}

function duplicate(index: number): MatrixFault {
  const message = 'This combination is in the matrix already.';
  return { code: 'matrix-duplicate', path: ['include', index], message, hint: 'Delete it from `include`.' };
}

const empty: MatrixFault = {
  code: 'matrix-empty',
  path: [],
  message: 'The matrix has no combination.',
  hint: 'Give it an axis, such as `node: ["22", "24"]`, or an entry in `include`.',
};

/** Values joined by dashes, made fit for an id and unique. */
function named(cells: readonly Combination[]): readonly Cell[] {
  const taken = new Set<string>();
  return cells.map((values) => {
    const base = Object.values(values).map(sanitised).join('-').slice(0, maxSuffix);
    let suffix = base;
    for (let number = 2; taken.has(suffix); number++) suffix = `${base}-${number}`;
    taken.add(suffix);
    return { suffix, values };
  });
}

function sanitised(value: string): string {
  return value.replace(/[^\w.]+/g, '-').replace(/^-+|-+$/g, '') || 'empty';
}
