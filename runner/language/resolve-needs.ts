import { didYouMean } from './did-you-mean.ts';
import { orderSteps } from './order-steps.ts';
import type { Step } from './pipeline-file.generated.ts';
import { under } from './problem-list.ts';
import type { ProblemList, Spot } from './problem-list.ts';

export interface NamedNeed {
  readonly name: string;
  readonly allow: readonly 'skipped'[];
}

export interface ResolvedNeeds {
  readonly needs: ReadonlyMap<string, readonly NamedNeed[]>;
  /** Every step behind those that it needs; the order of the file where there is a cycle. */
  readonly order: readonly string[];
}

/** The needs of each step of a map. `sequential`: a step that says nothing needs the one above it. */
export function resolveNeeds(
  problems: ProblemList,
  section: Spot,
  steps: Readonly<Record<string, Step>>,
  sequential: boolean,
  elsewhere: ReadonlySet<string>,
): ResolvedNeeds {
  const names = Object.keys(steps);
  const needs = new Map<string, readonly NamedNeed[]>();
  for (const [index, name] of names.entries()) {
    const above = sequential ? names[index - 1] : undefined;
    const written = steps[name]?.needs;
    const implied = above === undefined ? [] : [{ name: above, allow: [] }];
    needs.set(
      name,
      written ? checkedNeeds(problems, under(section, name, 'needs'), name, written, { steps, elsewhere }) : implied,
    );
  }
  const ordered = orderSteps(names.map((name) => ({ name, needs: (needs.get(name) ?? []).map((need) => need.name) })));
  if (ordered.ok) return { needs, order: ordered.names };
  for (const cycle of ordered.cycles) {
    const [start = '', next = ''] = cycle;
    const index = (steps[start]?.needs ?? []).findIndex((need) => nameOf(need) === next);
    const at = index < 0 ? { ...under(section, start), part: 'key' as const } : under(section, start, 'needs', index);
    problems.add(
      at,
      'need-cycle',
      `These steps wait for each other: ${cycle.join(' → ')}.`,
      'Take out one of these needs.',
    );
  }
  return { needs, order: names };
}

interface Surroundings {
  readonly steps: Readonly<Record<string, Step>>;
  /** Steps of the other section of the file. */
  readonly elsewhere: ReadonlySet<string>;
}

function checkedNeeds(
  problems: ProblemList,
  at: Spot,
  step: string,
  written: NonNullable<Step['needs']>,
  { steps, elsewhere }: Surroundings,
): readonly NamedNeed[] {
  const valid = new Map<string, NamedNeed>();
  for (const [index, need] of written.entries()) {
    const name = nameOf(need);
    const spot = typeof need === 'string' ? under(at, index) : under(at, index, 'step');
    if (name === step) problems.add(spot, 'need-self', `\`${step}\` needs itself.`, 'Take it out of `needs`.');
    else if (valid.has(name))
      problems.add(spot, 'need-duplicate', `\`${name}\` is needed already.`, 'Delete one of the two entries.');
    else if (Object.hasOwn(steps, name)) valid.set(name, { name, allow: typeof need === 'string' ? [] : need.allow });
    else if (elsewhere.has(name))
      problems.add(
        spot,
        'need-finally',
        `\`${name}\` stands on the other side of \`finally\`.`,
        'Steps of `finally` run when all others have ended, and need each other only.',
      );
    else problems.add(spot, 'need-unknown', `There is no step \`${name}\`.`, didYouMean(name, Object.keys(steps)));
  }
  return [...valid.values()];
}

function nameOf(need: NonNullable<Step['needs']>[number]): string {
  return typeof need === 'string' ? need : need.step;
}
