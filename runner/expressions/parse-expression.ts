import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import { createCelEnvironment, functionNames } from './cel-environment.ts';
import type { HashFiles } from './cel-environment.ts';
import { faultOf } from './fault.ts';
import type { Fault } from './fault.ts';

/** A path of names from a root: `needs.build.outputs.version`. It ends where an index is computed. */
export interface Reference {
  readonly path: readonly string[];
  readonly offset: number;
  readonly length: number;
}

export interface FunctionUse {
  readonly name: string;
  readonly offset: number;
}

/** An expression of correct syntax that uses known functions only; names and types are not checked yet. */
export interface ParsedExpression {
  readonly cel: string;
  readonly references: readonly Reference[];
  readonly functions: readonly FunctionUse[];
  readonly program: ParseResult;
}

export type Parsed =
  { readonly ok: true; readonly expression: ParsedExpression } | { readonly ok: false; readonly fault: Fault };

interface Findings {
  readonly references: Reference[];
  readonly functions: FunctionUse[];
  readonly faults: Fault[];
}

/** Variables of the macros around a node. */
type Bound = readonly string[];

const macros: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter']);
const environments = new WeakMap<HashFiles, Environment>();

const onceHint = 'Lists are looked through one at a time, so that every expression ends at once.';

const noFiles: HashFiles = () => {
  throw new Error('hashFiles() can be used in cache keys only');
};

export function parseExpression(cel: string, hashFiles: HashFiles = noFiles): Parsed {
  try {
    const program = environmentFor(hashFiles).parse(cel);
    const found: Findings = { references: [], functions: [], faults: [] };
    visit(program.ast, [], found);
    const fault = found.faults[0];
    return fault
      ? { ok: false, fault }
      : { ok: true, expression: { cel, references: found.references, functions: found.functions, program } };
  } catch (error) {
    return { ok: false, fault: faultOf(error, cel) };
  }
}

function environmentFor(hashFiles: HashFiles): Environment {
  const known = environments.get(hashFiles);
  if (known) return known;
  const created = createCelEnvironment(hashFiles);
  environments.set(hashFiles, created);
  return created;
}

function visit(node: ASTNode, bound: Bound, found: Findings): void {
  const path = pathOf(node);
  const root = path?.[0];
  if (path && root !== undefined) {
    if (!bound.includes(root)) found.references.push({ path, offset: node.start, length: node.end - node.start });
    return;
  }
  if (node.op === 'call') visitCall({ name: node.args[0], offset: node.pos }, node.args[1], bound, found);
  else if (node.op === 'rcall') {
    const [name, receiver, args] = node.args;
    visit(receiver, bound, found);
    visitCall({ name, offset: node.input.indexOf(name, receiver.end) }, args, bound, found);
  } else for (const child of childrenOf(node)) visit(child, bound, found);
}

function visitCall(use: FunctionUse, args: readonly ASTNode[], bound: Bound, found: Findings): void {
  const { name, offset } = use;
  const at = { offset, length: Math.max(1, name.length) };
  found.functions.push(use);
  if (!functionNames.has(name)) {
    found.faults.push({
      message: `There is no function \`${name}\`.`,
      unknown: { name, candidates: [...functionNames] },
      ...at,
    });
  }
  const variable = args[0]?.op === 'id' && macros.has(name) ? args[0].args : undefined;
  if (variable === undefined) {
    for (const argument of args) visit(argument, bound, found);
    return;
  }
  if (bound.length > 0)
    found.faults.push({ message: `\`${name}\` cannot stand inside another such function.`, hint: onceHint, ...at });
  for (const argument of args.slice(1)) visit(argument, [...bound, variable], found);
}

function pathOf(node: ASTNode): readonly string[] | undefined {
  if (node.op === 'id') return [node.args];
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const key = typeof node.args[1] === 'string' ? node.args[1] : literalText(node.args[1]);
  const base = key === undefined ? undefined : pathOf(node.args[0]);
  return base && key !== undefined ? [...base, key] : undefined;
}

function literalText(node: ASTNode): string | undefined {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : undefined;
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
    case 'call':
    case 'rcall':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case '!_':
    case '-_':
      return [node.args];
    case 'map':
      return node.args.flat();
    default:
      return node.args;
  }
}
