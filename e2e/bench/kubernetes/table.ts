import { shapes } from './trial.ts';
import type { Result, Shape } from './trial.ts';

interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** NaN of none. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [least = NaN, median = NaN, most = NaN] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return { least, median, most };
}

/** `least / median / most`. */
export function inWords({ least, median, most }: Spread, digits = 0): string {
  return [least, median, most].map((value) => value.toFixed(digits)).join(' / ');
}

/** The runs of one runner in one shape, in the figures that are compared. Each is NaN where it was not taken. */
export function figures(results: readonly Result[], runner: string, shape: Shape): Figures {
  const own = results.filter(({ trial }) => trial.runner === runner && trial.shape === shape);
  const median = (of: (result: Result) => number | undefined): number =>
    spread(own.flatMap((result) => of(result) ?? [])).median;
  return {
    ms: spread(own.map(({ ms }) => ms)),
    wallMs: spread(own.flatMap(({ wallMs }) => wallMs ?? [])),
    requestsPerStep: median(({ requests }) => requests) / shapes[shape],
    cpuMsPerStep: median(({ cpuMs }) => cpuMs) / shapes[shape],
    megabytes: median(({ megabytes }) => megabytes),
  };
}

export interface Figures {
  readonly ms: Spread;
  readonly wallMs: Spread;
  readonly requestsPerStep: number;
  readonly cpuMsPerStep: number;
  readonly megabytes: number;
}

const titles: Readonly<Record<Shape, string>> = {
  one: '1 step',
  five: '5 steps in turn',
  twenty: '20 steps at once',
};

/** Lines: one for each runner in each shape, with its ratio to `base` there, and one for each runner of `missing`, which says how it comes. */
export function comparison(
  results: readonly Result[],
  base: string,
  missing: ReadonlyMap<string, string>,
): readonly string[] {
  const runners = [...new Set(results.map(({ trial }) => trial.runner))];
  const lines = [row('', 'least / median / most ms', 'x raw', 'requests/step', 'CPU ms/step', 'MB')];
  for (const shape of Object.keys(shapes) as Shape[]) {
    lines.push(titles[shape]);
    const raw = figures(results, base, shape).ms.median;
    for (const runner of runners) {
      const { ms, requestsPerStep, cpuMsPerStep, megabytes } = figures(results, runner, shape);
      if (Number.isNaN(ms.median)) continue;
      const cells = [number(ms.median / raw, 2), number(requestsPerStep, 1), number(cpuMsPerStep), number(megabytes)];
      lines.push(row(`  ${runner}`, inWords(ms), ...cells));
    }
    for (const [runner, remedy] of missing) lines.push(`  ${runner.padEnd(34)} missing: ${remedy}`);
  }
  return lines;
}

function row(what: string, ms: string, ...cells: readonly string[]): string {
  const [ratio = '', ...others] = cells;
  return [what.padEnd(36), ms.padStart(26), ratio.padStart(8), ...others.map((cell) => cell.padStart(15))].join('');
}

function number(value: number, digits = 0): string {
  return Number.isNaN(value) ? '-' : value.toFixed(digits);
}
