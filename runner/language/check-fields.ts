import type { Step } from './pipeline-file.generated.ts';
import { under } from './problem-list.ts';
import type { ProblemList, Spot } from './problem-list.ts';

export type StepKind = 'run' | 'uses' | 'approval' | 'operation';
const kinds: readonly StepKind[] = ['run', 'uses', 'approval', 'operation'];

const common: readonly (keyof Step)[] = ['description', 'needs', 'if'];

/** Fields that have a meaning for a kind of step; a `run` step takes everything that belongs to no other kind. */
const fields: Readonly<Record<Exclude<StepKind, 'run'>, readonly (keyof Step)[]>> = {
  uses: [...common, 'uses', 'with', 'secrets', 'matrix'],
  approval: [...common, 'approval'],
  operation: [...common, 'operation', 'with', 'timeout'],
};

/** The kind of a step when it has exactly one. Fields that mean nothing for it are problems; `last`: it belongs to `finally`. */
export function checkFields(problems: ProblemList, spot: Spot, step: Step, last: boolean): StepKind | undefined {
  const found = kinds.filter((kind) => step[kind] !== undefined);
  const [kind, second] = found;
  if (kind === undefined) {
    problems.add(
      { ...spot, part: 'key' },
      'step-kind',
      'The step does nothing.',
      'Give it `run`, `uses`, `approval` or `operation`.',
    );
    return undefined;
  }
  if (second !== undefined) {
    const message = `A step has only one of \`run\`, \`uses\`, \`approval\` and \`operation\`, and this has ${found.map((name) => `\`${name}\``).join(' and ')}.`;
    problems.add({ ...under(spot, second), part: 'key' }, 'step-kind', message, 'Make two steps of it.');
    return undefined;
  }
  if (kind === 'approval' && last) {
    const hint = 'Put the approval among `steps`.';
    problems.add(
      { ...under(spot, 'approval'), part: 'key' },
      'step-field',
      '`finally` steps cannot wait for a person.',
      hint,
    );
  }
  if (kind === 'uses' && step.matrix?.['max-parallel'] !== undefined) {
    const message = '`max-parallel` has no meaning for a step with `uses`.';
    const at = { ...under(spot, 'matrix', 'max-parallel'), part: 'key' as const };
    problems.add(at, 'step-field', message, 'Set it on a matrix inside the workflow.');
  }
  const foreign = (Object.keys(step) as (keyof Step)[]).filter((field) => !belongs(field, kind));
  for (const field of foreign) {
    problems.add(
      { ...under(spot, field), part: 'key' },
      'step-field',
      `\`${field}\` has no meaning for a step with \`${kind}\`.`,
      hintFor(field, kind),
    );
  }
  return kind;
}

function belongs(field: keyof Step, kind: StepKind): boolean {
  return kind === 'run' ? field !== 'with' : fields[kind].includes(field);
}

function hintFor(field: keyof Step, kind: StepKind): string {
  if (field === 'with') return '`with` gives the inputs of a workflow that is called by `uses`.';
  if (kind === 'operation') return 'An operation takes nothing but its inputs, in `with`.';
  if (kind === 'uses') return 'Set it on the steps of the workflow, or pass a value to an input by `with`.';
  return field === 'timeout'
    ? 'Write `approval: { message: …, timeout: … }`.'
    : 'Set it on the steps behind the approval.';
}
