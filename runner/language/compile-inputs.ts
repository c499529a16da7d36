import type { Template } from '../model/plan.ts';
import { parseDuration } from '../model/duration.ts';
import type { CommandInput } from './compilation.ts';
import { commandOf, literalScript } from './compile-script.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Input, WorkflowFile } from './pipeline-file.generated.ts';
import type { Positioned } from './positioned.ts';
import { under } from './problem-list.ts';
import type { ProblemList } from './problem-list.ts';
import { complain, lateText } from './step-cell.ts';
import type { StepCell } from './step-cell.ts';

/** The inputs of one use of a workflow. */
export interface GivenInputs {
  /** All but commands. */
  readonly values: Readonly<Record<string, Template>>;
  readonly known: Readonly<Record<string, string>>;
  readonly commands: Readonly<Record<string, CommandInput>>;
}

/** Checks what a step gives `with` against what the workflow asks for. */
export function compileInputs(cell: StepCell, source: Positioned<WorkflowFile>): GivenInputs {
  const declared = source.value.inputs ?? {};
  const given = cell.step.with ?? {};
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(declared, name)) continue;
    const spot = { ...under(cell.spot, 'with', name), part: 'key' as const };
    const hint = didYouMean(name, Object.keys(declared)) ?? listed(Object.keys(declared));
    cell.compilation.problems.add(
      spot,
      'input-unknown',
      `\`${source.value.workflow}\` has no input \`${name}\`.`,
      hint,
    );
  }
  const values: Record<string, Template> = {};
  const known: Record<string, string> = {};
  const commands: Record<string, CommandInput> = {};
  for (const [name, input] of Object.entries(declared)) {
    checkDeclaration(cell.compilation.problems, source, name, input);
    const text = Object.hasOwn(given, name) ? given[name] : undefined;
    if (input.type === 'command')
      commands[name] =
        text === undefined ? { script: absent(cell, name, input), secrets: [] } : command(cell, name, text);
    else {
      const value = text === undefined ? absent(cell, name, input) : checkedValue(cell, name, input, text);
      values[name] = value;
      if (typeof value === 'string') known[name] = value;
    }
  }
  return { values, known, commands };
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'It has no inputs.' : `Its inputs are ${names.map((name) => `\`${name}\``).join(', ')}.`;
}

function absent(cell: StepCell, name: string, input: Input): string {
  if (input.required) {
    const path = cell.step.with ? ['with'] : ['uses'];
    const hint = `Write \`with: { ${name}: … }\`.${input.description === undefined ? '' : ` ${input.description}`}`;
    complain(cell, path, 'input-missing', `The input \`${name}\` is required.`, hint);
  }
  return input.default ?? '';
}

/** A script from the pipeline file, or the caller's own command input passed on. */
function command(cell: StepCell, name: string, text: string): CommandInput {
  const passedOn = commandOf(text, cell.body.inputs?.commands);
  if (passedOn) return passedOn;
  return { script: literalScript(cell, ['with', name], text), secrets: cell.step.secrets ?? [] };
}

function checkedValue(cell: StepCell, name: string, input: Input, text: string): Template {
  const value = lateText(cell, ['with', name], text);
  if (typeof value === 'string') {
    const fault = valueFault(input, value);
    const hint = input.description ?? examples[input.type ?? 'string'];
    if (fault !== undefined) complain(cell, ['with', name], 'input-value', `\`${name}\` ${fault}`, hint);
  } else if (input.type !== undefined && input.type !== 'string') {
    const message = `\`${name}\` is a ${input.type}, and its value is not known before the run.`;
    complain(cell, ['with', name], 'input-value', message, 'Only inputs of type string take values of earlier steps.');
  }
  return value;
}

const examples = {
  number: 'Write a number such as `3` or `0.5`.',
  boolean: 'Write `"true"` or `"false"`.',
  duration: 'Write a time such as `90s` or `1h30m`.',
  string: 'Write one of the allowed values.',
  command: 'Write a script.',
} as const;

const forms = {
  number: (value: string) => /^-?\d+(\.\d+)?$/.test(value),
  boolean: (value: string) => value === 'true' || value === 'false',
  duration: (value: string) => parseDuration(value) !== undefined,
  string: () => true,
  command: () => true,
} as const satisfies Record<NonNullable<Input['type']>, (value: string) => boolean>;

/** The end of a sentence that begins with the name of the input. */
function valueFault(input: Input, value: string): string | undefined {
  const type = input.type ?? 'string';
  if (!forms[type](value)) return `must be a ${type}, and \`${value}\` is none.`;
  if (!input.enum || input.enum.includes(value)) return undefined;
  return `must be one of ${input.enum.join(', ')}, and not \`${value}\`.`;
}

function checkDeclaration(problems: ProblemList, source: Positioned<WorkflowFile>, name: string, input: Input): void {
  const spot = { source, path: ['inputs', name] };
  if (input.default !== undefined) {
    const fault = valueFault(input, input.default);
    if (fault !== undefined)
      problems.add(
        under(spot, 'default'),
        'input-declaration',
        `The default of \`${name}\` ${fault}`,
        examples[input.type ?? 'string'],
      );
    if (!input.required) return;
    problems.add(
      under(spot, 'required'),
      'input-declaration',
      `\`${name}\` is required, so that its default is never used.`,
      'Delete one of the two.',
    );
  } else if (!input.required && (input.type ?? 'string') !== 'string') {
    const message = `\`${name}\` is a ${input.type ?? 'string'} that may be left out and has no default.`;
    problems.add(
      { ...spot, part: 'key' },
      'input-declaration',
      message,
      'Give it a `default`, or set `required: true`.',
    );
  }
}
