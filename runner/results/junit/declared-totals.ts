import type { TestTotals } from '../../model/result.ts';
import { parseCount } from './parse-numbers.ts';

export type Attributes = Readonly<Record<string, string>>;

const names = ['tests', 'failures', 'errors', 'skipped', 'disabled'] as const;
type Name = (typeof names)[number];

/** What a suite says about itself. */
export type DeclaredTotals = ReadonlyMap<Name, number>;

export function declaredTotals(attributes: Attributes): DeclaredTotals {
  const totals = new Map<Name, number>();
  for (const name of names) {
    const count = parseCount(attributes[name] ?? '');
    if (count !== undefined) totals.set(name, count);
  }
  return totals;
}

export function addTotals(left: DeclaredTotals, right: DeclaredTotals): DeclaredTotals {
  return new Map([...left, ...[...right].map(([name, count]) => [name, (left.get(name) ?? 0) + count] as const)]);
}

/** "failures=2 errors=1" of a suite that calls itself red, else ''. */
export function redTotals(declared: DeclaredTotals): string {
  const red = (['failures', 'errors'] as const).filter((name) => (declared.get(name) ?? 0) > 0);
  return red.map((name) => `${name}=${declared.get(name) ?? 0}`).join(' ');
}

/** The root speaks for the file; where it is silent, its suites do together. */
export function mismatches(root: DeclaredTotals, suites: DeclaredTotals, counted: TestTotals): readonly string[] {
  const declared = new Map([...suites, ...root]);
  return (['errors', 'failures', 'skipped', 'tests'] as const).flatMap((name) => {
    const count = declared.get(name);
    // Some producers count disabled cases among the skipped, others beside them.
    const withDisabled = (count ?? 0) + (name === 'skipped' ? (declared.get('disabled') ?? 0) : 0);
    if (count === undefined || count === counted[name] || withDisabled === counted[name]) return [];
    return [`${name}:${count}!=${counted[name]}`];
  });
}
