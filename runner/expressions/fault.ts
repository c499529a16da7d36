import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import { messageOf } from '../model/errors.ts';

/** What is wrong with an expression or template, at an offset of its text in UTF-16 code units. */
export interface Fault {
  readonly message: string;
  readonly offset: number;
  readonly length: number;
  readonly hint?: string;
  /** A name that does not exist, with those that do, for "did you mean". */
  readonly unknown?: { readonly name: string; readonly candidates: readonly string[] };
}

const singleCharacterHints: Readonly<Record<string, string>> = {
  '=': 'Compare with `==`.',
  '&': 'Join conditions with `&&`.',
  '|': 'Join conditions with `||`.',
  $: 'Write the expression without `${{ }}` here.',
};

const mixHint = 'Convert one side with `string(…)`, `int(…)` or `double(…)`.';

/** Anything that was thrown while an expression was read, checked or evaluated, as a value. */
export function faultOf(error: unknown, cel: string): Fault {
  if (!(error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError)) {
    return { message: sentence(messageOf(error)), offset: 0, length: Math.max(1, cel.length) };
  }
  const start = error.range?.start ?? 0;
  const end = error.range?.end ?? start;
  const at = { offset: start, length: Math.max(1, end - start) };
  const source = error.node ? cel.slice(error.node.start, error.node.end) : '';
  switch (error.code) {
    case 'no_such_key':
      return { message: `\`${source}\` is not set.`, ...at };
    case 'unknown_variable':
      return { message: `\`${source}\` is not known here.`, ...at };
    case 'no_matching_overload':
      return { message: `\`${source}\` gives a function what it does not take.`, hint: sentence(error.summary), ...at };
    case 'no_such_overload':
      return {
        message: `\`${source}\` mixes types: ${error.summary.replace('no such overload: ', '')}.`,
        hint: mixHint,
        ...at,
      };
    case 'unexpected_character': {
      const hint = singleCharacterHints[cel[start] ?? ''];
      return { message: sentence(error.summary), ...(hint === undefined ? {} : { hint }), ...at };
    }
    default:
      return start < cel.length
        ? { message: sentence(error.summary), ...at }
        : { message: 'The expression ends too early.', hint: 'Something is missing at its end.', ...at };
  }
}

function sentence(text: string): string {
  const start = text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
