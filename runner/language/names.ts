import type { Reference } from '../expressions/parse-expression.ts';
import type { Root } from '../expressions/cel-environment.ts';

/** What a step offers to those that need it. */
export interface Offer {
  readonly outputs: ReadonlySet<string>;
  /** A matrix has no outputs of its own: each cell has. */
  readonly matrix: boolean;
  /** Nobody can say what it offers, because something about it is wrong already. */
  readonly unknown?: true;
}

/** What the expressions of one place can refer to, besides the facts of the run. An absent root is not known there. */
export interface Names {
  readonly matrix?: ReadonlySet<string>;
  readonly inputs?: ReadonlySet<string>;
  readonly needs?: ReadonlyMap<string, Offer>;
  readonly steps?: ReadonlyMap<string, Offer>;
  /** All steps of the same map, those that `needs` could name. */
  readonly siblings?: ReadonlyMap<string, Offer>;
  readonly services?: ReadonlySet<string>;
  readonly run?: true;
  readonly hashFiles?: true;
  /** Inputs that hold a script: not for expressions. */
  readonly commands?: ReadonlySet<string>;
}

export interface NameFault {
  readonly message: string;
  readonly hint?: string;
  readonly unknown?: { readonly name: string; readonly candidates: readonly string[] };
}

const facts = ['branch', 'tag', 'commit', 'event', 'ref', 'actor', 'pull_request'] as const satisfies readonly Root[];

/** Where the roots that are not known everywhere are known. */
const rootHints: Readonly<Partial<Record<string, string>>> = {
  matrix: 'Give the step a `matrix`.',
  inputs: '`inputs` are those of a workflow file; a pipeline has none.',
  needs: 'What earlier steps give can be used in `if`, `env`, `with` and the message of an approval.',
  services: 'Addresses of services can be used in the `env` of a step that has `services`.',
  steps: '`steps` can be used in the outputs of a workflow; elsewhere write `needs`.',
  run: '`run.outcome` can be used in `finally` steps, where the outcome of the others is known.',
} satisfies Partial<Record<Root, string>>;

/** What other systems know under such a name, and how it is had here. */
const strangerHints: Readonly<Partial<Record<string, string>>> = {
  secrets: 'List it as `secrets: [NAME]`; the script of the step finds it in `$NAME`.',
  env: 'A script finds a variable in `$NAME`; expressions know none.',
  github: 'Write `branch`, `tag`, `commit`, `event`, `actor` or `pull_request`.',
};

/** A root that is known elsewhere, with where that is. */
export function elsewhereFault(name: string): NameFault | undefined {
  const hint = rootHints[name] ?? strangerHints[name];
  return hint === undefined
    ? undefined
    : { message: `\`${name}\` is not known here.`, hint, unknown: { name, candidates: [] } };
}

export function rootsIn(names: Names): ReadonlySet<string> {
  const optional = ['matrix', 'inputs', 'needs', 'steps', 'services', 'run'] as const;
  return new Set([...facts, ...optional.filter((root) => names[root] !== undefined)]);
}

/** What is wrong with the path of a reference whose root is known. */
export function nameFault({ path }: Reference, names: Names): NameFault | undefined {
  const [root = '', name] = path;
  switch (root) {
    case 'matrix':
      return keyFault(path, names.matrix, 'The matrix has no');
    case 'inputs':
      return names.commands?.has(name ?? '')
        ? { message: `\`inputs.${name ?? ''}\` is a command.`, hint: commandHint }
        : keyFault(path, names.inputs, 'The workflow has no input');
    case 'needs':
      return names.needs && needFault(path, names.needs, names.siblings);
    case 'steps':
      return names.steps && (keyFault(path, names.steps, 'The workflow has no step') ?? offerFault(path, names.steps));
    case 'services':
      return keyFault(path, names.services, 'The step has no service') ?? fieldFault(path[2], ['url', 'host', 'port']);
    case 'run':
      return fieldFault(name, ['outcome']);
    case 'pull_request':
      return fieldFault(name, ['number', 'base', 'fork']);
    default:
      return undefined;
  }
}

export const commandHint = 'Only a `run` that is nothing else than `${{ inputs.NAME }}` takes a command.';

interface Known {
  has(name: string): boolean;
  keys(): Iterable<string>;
}

function keyFault(
  [root = '', name]: readonly string[],
  known: Known | undefined,
  complaint: string,
): NameFault | undefined {
  if (name === undefined) return { message: `\`${root}\` needs a name behind it.`, hint: `Write \`${root}.NAME\`.` };
  if (known?.has(name)) return undefined;
  return { message: `${complaint} \`${name}\`.`, unknown: { name, candidates: [...(known?.keys() ?? [])] } };
}

function needFault(
  path: readonly string[],
  needs: ReadonlyMap<string, Offer>,
  siblings?: ReadonlyMap<string, Offer>,
): NameFault | undefined {
  const fault = keyFault(path, needs, '`needs` of this step does not name');
  if (!fault) return offerFault(path, needs);
  const name = path[1] ?? '';
  return siblings?.has(name)
    ? { ...fault, hint: `Add \`${name}\` to the \`needs\` of the step.`, unknown: { name, candidates: [] } }
    : fault;
}

/** `needs.NAME.outcome` or `needs.NAME.outputs.VALUE`. */
function offerFault(path: readonly string[], offers: ReadonlyMap<string, Offer>): NameFault | undefined {
  const [root = '', name = '', field, output] = path;
  const { outputs, matrix, unknown } = offers.get(name) ?? { outputs: new Set<string>(), matrix: false };
  if (unknown) return undefined;
  if (field !== 'outputs') return fieldFault(field, ['outcome', 'outputs']);
  if (matrix) {
    const hint = 'Hand over files by `outputs` paths instead.';
    return { message: `\`${name}\` is a matrix, whose cells have outputs of their own.`, hint };
  }
  if (output === undefined) {
    return {
      message: `\`${path.join('.')}\` needs the name of an output.`,
      hint: `Write \`${root}.${name}.outputs.NAME\`.`,
    };
  }
  if (outputs.has(output)) return undefined;
  return { message: `\`${name}\` has no output \`${output}\`.`, unknown: { name: output, candidates: [...outputs] } };
}

function fieldFault(field: string | undefined, fields: readonly string[]): NameFault | undefined {
  const choices = fields.map((name) => `\`${name}\``).join(', ');
  if (field === undefined) return { message: `A field is missing behind it: ${choices}.` };
  if (fields.includes(field)) return undefined;
  const message = `There is no field \`${field}\` here, only ${choices}.`;
  return { message, unknown: { name: field, candidates: fields } };
}
