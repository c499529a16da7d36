import type { Reference } from '../expressions/parse-expression.ts';
import type { Root } from '../expressions/cel-environment.ts';

/** What a step offers to those that need it. */
export interface Offer {
  readonly outputs: ReadonlySet<string>;
  /** A matrix has no outputs of its own: each cell has. */
  readonly matrix: boolean;
}

/** What the expressions of one place can refer to, besides the facts of the run. An absent root is not known there. */
export interface Names {
  readonly matrix?: ReadonlySet<string>;
  readonly inputs?: ReadonlySet<string>;
  readonly needs?: ReadonlyMap<string, Offer>;
  readonly steps?: ReadonlyMap<string, Offer>;
  readonly services?: ReadonlySet<string>;
  readonly run?: true;
  readonly hashFiles?: true;
  /** Inputs that hold a script: not for expressions. */
  readonly commands?: ReadonlySet<string>;
}

export interface NameFault {
  readonly message: string;
  readonly hint?: string;
  readonly unknown?: { readonly name: string; readonly candidates: Iterable<string> };
}

const facts = ['branch', 'tag', 'commit', 'event', 'ref', 'actor', 'pull_request'] as const satisfies readonly Root[];

/** Where the roots that are not known everywhere are known. */
export const rootHints: Readonly<Partial<Record<string, string>>> = {
  matrix: 'Give the step a `matrix`.',
  inputs: '`inputs` are those of a workflow file; a pipeline has none.',
  needs: 'What earlier steps give can be used in `if`, `env`, `with` and the message of an approval.',
  services: 'Addresses of services can be used in the `env` of a step that has `services`.',
  steps: '`steps` can be used in the outputs of a workflow; elsewhere write `needs`.',
  run: '`run.outcome` can be used in `finally` steps, where the outcome of the others is known.',
} satisfies Partial<Record<Root, string>>;

export function rootsIn(names: Names): ReadonlySet<string> {
  const optional = ['matrix', 'inputs', 'needs', 'steps', 'services', 'run'] as const;
  return new Set([...facts, ...optional.filter((root) => names[root] !== undefined)]);
}

/** What is wrong with the path of a reference whose root is known. */
export function nameFault({ path }: Reference, names: Names): NameFault | undefined {
  const [root = '', name] = path;
  switch (root) {
    case 'matrix':
      return keyFault(root, name, names.matrix, 'The matrix has no');
    case 'inputs':
      if (name !== undefined && names.commands?.has(name))
        return { message: `\`inputs.${name}\` is a command.`, hint: commandHint };
      return keyFault(root, name, names.inputs, 'The workflow has no input');
    case 'needs':
      return stepFault(path, names.needs, '`needs` of this step does not name');
    case 'steps':
      return stepFault(path, names.steps, 'The workflow has no step');
    case 'services':
      return (
        keyFault(root, name, names.services, 'The step has no service') ?? fieldFault(path, ['url', 'host', 'port'])
      );
    case 'run':
      return fieldFault(['', ...path], ['outcome']);
    case 'pull_request':
      return fieldFault(['', ...path], ['number', 'base', 'fork']);
    default:
      return undefined;
  }
}

const commandHint = 'Only a `run` that is nothing else than `${{ inputs.NAME }}` takes a command.';

function keyFault(
  root: string,
  name: string | undefined,
  known: ReadonlySet<string> | undefined,
  complaint: string,
): NameFault | undefined {
  if (name === undefined) return { message: `\`${root}\` needs a name behind it.`, hint: `Write \`${root}.NAME\`.` };
  return known?.has(name)
    ? undefined
    : { message: `${complaint} \`${name}\`.`, unknown: { name, candidates: known ?? [] } };
}

/** `needs.NAME.outcome` or `needs.NAME.outputs.VALUE`. */
function stepFault(
  path: readonly string[],
  offers: ReadonlyMap<string, Offer> | undefined,
  complaint: string,
): NameFault | undefined {
  const [root = '', name, field, output] = path;
  const offer = offers?.get(name ?? '');
  if (name === undefined || !offer) return keyFault(root, name, new Set(offers?.keys()), complaint);
  const fault = fieldFault(path, ['outcome', 'outputs']);
  if (fault || field === 'outcome') return fault;
  if (offer.matrix)
    return {
      message: `\`${name}\` is a matrix, whose cells have outputs of their own.`,
      hint: 'Hand over files by `outputs` paths instead.',
    };
  if (output === undefined)
    return {
      message: `\`${path.join('.')}\` needs the name of an output.`,
      hint: `Write \`${root}.${name}.outputs.NAME\`.`,
    };
  if (offer.outputs.has(output)) return undefined;
  return { message: `\`${name}\` has no output \`${output}\`.`, unknown: { name: output, candidates: offer.outputs } };
}

function fieldFault(path: readonly string[], fields: readonly string[]): NameFault | undefined {
  const field = path[2];
  if (field !== undefined && fields.includes(field)) return undefined;
  const choices = fields.map((name) => `\`${name}\``).join(', ');
  const message =
    field === undefined ? `A field is missing: ${choices}.` : `There is no field \`${field}\` here, only ${choices}.`;
  return { message, ...(field === undefined ? {} : { unknown: { name: field, candidates: fields } }) };
}
