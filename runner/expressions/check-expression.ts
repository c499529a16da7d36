import type { Fault } from './fault.ts';
import { faultOf } from './fault.ts';
import type { ParsedExpression } from './parse-expression.ts';

/** Where an expression stands, as far as it decides what the expression may use and give. */
export interface Place {
  readonly roots: ReadonlySet<string>;
  readonly result: 'condition' | 'text';
  readonly hashFiles?: boolean;
}

const resultTypes: Readonly<Record<Place['result'], ReadonlySet<string>>> = {
  condition: new Set(['bool', 'dyn']),
  text: new Set(['string', 'bool', 'int', 'double', 'dyn']),
};

const expectations = {
  condition: ['true or false', "Compare the value with another, as in `branch == 'main'`."],
  text: ['text, a number, true or false', 'Take one value of it by a name behind a dot.'],
} as const;

/** Names, functions and types of an expression at its place. */
export function checkExpression(expression: ParsedExpression, place: Place): Fault | undefined {
  return unknownRoot(expression, place) ?? forbiddenFunction(expression, place) ?? wrongType(expression, place);
}

function unknownRoot({ cel, references }: ParsedExpression, place: Place): Fault | undefined {
  for (const { path, offset, length } of references) {
    const name = path[0] ?? '';
    if (place.roots.has(name)) continue;
    const dashed = dashedName(cel, offset);
    return {
      message: `\`${name}\` is not known here.`,
      offset,
      length: Math.min(length, name.length),
      ...(dashed ? { hint: dashed } : { unknown: { name, candidates: [...place.roots] } }),
    };
  }
  return undefined;
}

/** `needs.run-tests.outcome` is a subtraction in CEL; the way out is not obvious. */
function dashedName(cel: string, offset: number): string | undefined {
  const before = /\.([\w-]+)-$/.exec(cel.slice(0, offset));
  const after = /^[\w-]+/.exec(cel.slice(offset));
  return before && after ? `A name with dashes is written \`['${before[1] ?? ''}-${after[0]}']\`.` : undefined;
}

function forbiddenFunction(expression: ParsedExpression, place: Place): Fault | undefined {
  if (place.hashFiles) return undefined;
  const use = expression.functions.find((candidate) => candidate.name === 'hashFiles');
  const hint = 'Everywhere else, `commit` stands for the content of all files.';
  return (
    use && { message: '`hashFiles` can be used in cache keys only.', hint, offset: use.offset, length: use.name.length }
  );
}

function wrongType({ cel, program }: ParsedExpression, place: Place): Fault | undefined {
  const { valid, type = 'dyn', error } = program.check();
  if (!valid) return faultOf(error, cel);
  if (resultTypes[place.result].has(type)) return undefined;
  const [wanted, hint] = expectations[place.result];
  const message = `The expression gives ${inWords(type)}, but ${wanted} is needed here.`;
  return { message, hint, offset: 0, length: cel.length };
}

function inWords(type: string): string {
  if (type === 'string') return 'text';
  if (type === 'bool') return 'true or false';
  if (type === 'int' || type === 'double') return 'a number';
  return type.startsWith('map') ? 'a map' : type.startsWith('list') ? 'a list' : type;
}
