import type { HashFiles } from '../expressions/cel-environment.ts';
import { checkExpression } from '../expressions/check-expression.ts';
import type { Place } from '../expressions/check-expression.ts';
import { parseExpression } from '../expressions/parse-expression.ts';
import type { Parsed, ParsedExpression } from '../expressions/parse-expression.ts';
import { parseTemplate } from '../expressions/parse-template.ts';
import type { TemplateExpression } from '../expressions/parse-template.ts';
import { reduceTemplate } from '../expressions/reduce-template.ts';
import type { Knowledge } from '../expressions/reduce-template.ts';
import type { Expression, Template } from '../model/plan.ts';
import { didYouMean } from './did-you-mean.ts';
import { elsewhereFault, nameFault, rootsIn } from './names.ts';
import type { NameFault, Names } from './names.ts';
import type { Span } from './positioned.ts';
import type { ProblemList, Spot } from './problem-list.ts';

/** A text value of a file, where it stands, and what its expressions may refer to. */
export interface TextSpot {
  readonly spot: Spot;
  readonly text: string;
  readonly names: Names;
}

const failedHint = 'Correct the name or pattern, or take the expression out.';

type Located = ParsedExpression & { readonly at: number };

/** Checks the expressions of a file and decides what is known before the run; every fault becomes a problem. */
export class ExpressionReader {
  readonly #problems: ProblemList;
  readonly #hashFiles: HashFiles;
  readonly #parsed = new Map<string, Parsed>();

  constructor(problems: ProblemList, hashFiles: HashFiles) {
    this.#problems = problems;
    this.#hashFiles = hashFiles;
  }

  condition(spot: Spot, cel: string, names: Names): Expression {
    this.#check({ spot, text: cel, names }, { cel, offset: 0 }, 'condition');
    return { cel };
  }

  /** A value that may hold expressions until its step starts. */
  template(at: TextSpot, known: Knowledge): Template {
    const parts = this.#parts(at);
    if (!parts) return '';
    const reduced = reduceTemplate(parts, known);
    if (reduced.ok) return reduced.value;
    const { at: offset, cel } = reduced.expression;
    this.#problems.add(within(at.spot, offset, cel.length), 'expression-failed', reduced.message, failedHint);
    return '';
  }

  /** A value that must be known before the run. */
  text(at: TextSpot, known: Knowledge): string {
    const template = this.template(at, known);
    if (typeof template === 'string') return template;
    const message = 'This value must be known before the run, and an input of the workflow is not.';
    this.#problems.add(at.spot, 'expression-undecided', message, 'Give the input in `with` without `needs`.');
    return '';
  }

  #parts(at: TextSpot): readonly (string | Located)[] | undefined {
    if (!at.text.includes('${{')) return [at.text];
    const template = parseTemplate(at.text);
    if (!template.ok) {
      this.#report(at.spot, 0, template.fault);
      return undefined;
    }
    const parts = template.parts.map((part) => {
      if (typeof part === 'string') return part;
      const expression = this.#check(at, part, 'text');
      return expression && { ...expression, at: part.offset };
    });
    return parts.every((part) => part !== undefined) ? parts : undefined;
  }

  #check(at: TextSpot, { cel, offset }: TemplateExpression, result: Place['result']): ParsedExpression | undefined {
    const parsed = this.#parsed.get(cel) ?? parseExpression(cel, this.#hashFiles);
    this.#parsed.set(cel, parsed);
    const faults = parsed.ok ? faultsOf(parsed.expression, at.names, result) : [parsed.fault];
    for (const fault of faults) this.#report(at.spot, offset, fault);
    return parsed.ok && faults.length === 0 ? parsed.expression : undefined;
  }

  #report(spot: Spot, offset: number, fault: Faulty): void {
    const { unknown } = fault;
    const hint =
      fault.hint ?? (unknown && (didYouMean(unknown.name, unknown.candidates) ?? listed(unknown.candidates)));
    const code = unknown ? 'expression-unknown-name' : 'expression-invalid';
    this.#problems.add(within(spot, offset + fault.offset, fault.length), code, fault.message, hint);
  }
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'There are none here.';
  // `branch == main` is the usual way to a name that nobody knows.
  const quotes = names.includes('branch') ? "; a text stands in quotes: `'main'`" : '';
  return `Known are ${names.map((name) => `\`${name}\``).join(', ')}${quotes}.`;
}

type Faulty = NameFault & Span;

function faultsOf(expression: ParsedExpression, names: Names, result: Place['result']): readonly Faulty[] {
  const fault = checkExpression(expression, { roots: rootsIn(names), result, hashFiles: names.hashFiles ?? false });
  if (fault) return [{ ...fault, ...(fault.unknown && elsewhereFault(fault.unknown.name)) }];
  return expression.references.flatMap((reference) => {
    const { offset, length } = reference;
    const wrong = nameFault(reference, names);
    return wrong ? [{ offset, length, ...wrong }] : [];
  });
}

function within(spot: Spot, offset: number, length: number): Spot {
  return { ...spot, within: { offset, length: Math.max(1, length) } };
}
