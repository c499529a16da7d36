import type { ErrorCode } from 'yaml';
import type { Location, Problem } from '../model/problem.ts';
import type { ProblemCode } from './problem-codes.ts';
import { maxShown, problem } from './problem.ts';
import type { Text } from './read-text.ts';
import type { Scan } from './scan-tokens.ts';
import { inQuotes, shorten, withoutComment } from './wording.ts';

/** An error of the YAML library. */
export interface YamlError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly pos: readonly [start: number, end: number];
}

/** An error with the line that it stands on; `others` are the errors on the same line. */
interface LineError extends YamlError {
  readonly source: Text;
  readonly at: Location;
  readonly line: string;
  readonly others: readonly YamlError[];
}

interface Finding {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint: string;
  /** Where it differs from the place of the error. */
  readonly at?: Location;
}

/**
 * What the YAML library reports, in plain words. Of the errors on one line only the first counts, and none behind a
 * quote or bracket without an end: the others follow from it.
 */
export function explainSyntaxErrors(
  source: Text,
  errors: readonly YamlError[],
  open: Scan['unclosed'],
): readonly Problem[] {
  const end = open[0]?.offset ?? Infinity;
  const real = errors.filter(({ pos, message }) => pos[0] < end && !message.startsWith('Missing directives-end'));
  const lines = Map.groupBy(real, ({ pos }) => source.at(pos[0]).line);
  const problems: Problem[] = [];
  for (const [number, [first, ...others]] of lines) {
    if (!first) continue;
    const at = source.at(...first.pos);
    const found = explain({ ...first, source, at, line: source.lines[number - 1] ?? '', others });
    problems.push(problem(source, found.at ?? at, found.code, found.message, found.hint));
    const lost = [first, ...others].some(({ message }) => message.includes('in YAML stream'));
    if (lost || problems.length > maxShown) break;
  }
  const unclosed = firstUnclosed(source, open);
  if (!unclosed || errors.length === 0) return problems;
  const message = `The \`${unclosed.source}\` is not closed.`;
  return [
    ...problems,
    problem(source, source.at(unclosed.offset), 'yaml-unclosed', message, closingHint(unclosed.source)),
  ];
}

/** A quote without an end takes the brackets around it with it, so that it is what is missing on their line. */
function firstUnclosed(source: Text, open: Scan['unclosed']): Scan['unclosed'][number] | undefined {
  const [first] = open;
  if (!first) return undefined;
  const { line } = source.at(first.offset);
  const quote = open.find(({ offset, type }) => type.endsWith('quoted-scalar') && source.at(offset).line === line);
  return quote ?? first;
}

function closingHint(opening: string): string {
  const closing = { '[': ']', '{': '}' }[opening];
  return closing === undefined
    ? `Write another \`${opening}\` where the text ends.`
    : `Write \`${closing}\` where it ends.`;
}

const explain = (error: LineError): Finding => explanations[error.code]?.(error) ?? unexplained(error);

const unexplained = ({ message }: YamlError): Finding => ({
  code: 'yaml-syntax',
  message: `${message}.`,
  hint: 'Put texts with special characters in quotes, and check the indentation.',
});

const explanations: Readonly<Partial<Record<ErrorCode, (error: LineError) => Finding>>> = {
  TAB_AS_INDENT: () => ({
    code: 'yaml-tab',
    message: 'A tab stands in the indentation.',
    hint: 'Indent with spaces, two for each level.',
  }),
  BAD_DQ_ESCAPE: ({ at, line }) => ({
    code: 'yaml-escape',
    message: `The escape \`${line.slice(at.column - 1, at.column + 1)}\` does not exist.`,
    hint: 'Write the text in single quotes, or the backslash twice.',
    at: { ...at, length: 2 },
  }),
  BAD_SCALAR_START: mustBeQuoted,
  BAD_INDENT: (error) => (error.message.startsWith('Flow') ? unexplained(error) : misplaced(error)),
  MISSING_CHAR: missingCharacter,
  MULTILINE_IMPLICIT_KEY: missingColon,
  BLOCK_AS_IMPLICIT_KEY: nestedOnOneLine,
  BLOCK_IN_FLOW: missingComma,
  UNEXPECTED_TOKEN: unexpectedToken,
  KEY_OVER_1024_CHARS: ({ at }) => ({
    code: 'too-long',
    message: 'A key has 1,024 characters at most.',
    hint: 'Put the text behind a key, in quotes or below `|`.',
    at: { ...at, length: 1 },
  }),
};

/** From a column to the end of its line, without a comment. */
const restOfLine = ({ line, at }: LineError) => withoutComment(line.slice(at.column - 1));

/** The text of a line with its place. */
function wholeLine({ source, at }: LineError, number = at.line): { readonly text: string; readonly at: Location } {
  const line = source.lines[number - 1] ?? '';
  const text = line.trim();
  return {
    text,
    at: { file: at.file, line: number, column: line.length - line.trimStart().length + 1, length: text.length || 1 },
  };
}

function mustBeQuoted(error: LineError): Finding {
  const text = restOfLine(error);
  return {
    code: 'yaml-unquoted',
    message: `A text cannot start with \`${text.charAt(0)}\` unless it is in quotes.`,
    hint: `Write \`${inQuotes(text)}\`.`,
    at: { ...error.at, length: text.length },
  };
}

function misplaced(error: LineError, number = error.at.line): Finding {
  return {
    code: 'yaml-indentation',
    message: 'This line starts in a column that fits to nothing above it.',
    hint: 'The keys of a map start in one column, and so do the entries of a list; what belongs to a key is two spaces further in.',
    at: wholeLine(error, number).at,
  };
}

function missingCharacter(error: LineError): Finding {
  if (error.message.startsWith('Missing , or :')) return missingComma(error);
  return error.message.startsWith('Implicit map keys') ? missingColon(error) : unexplained(error);
}

function missingColon(error: LineError): Finding {
  const { text, at } = wholeLine(error);
  const [, key, value] = /^([\w-]+):([^ ].*)$/.exec(text) ?? [];
  if (key !== undefined && value !== undefined) {
    const hint = `Write \`${key}: ${shorten(value.trim())}\`.`;
    return { code: 'yaml-colon', message: `There is no space behind the colon of \`${key}\`.`, hint, at };
  }
  if (/^-(\s|$)/.test(text)) return misplaced(error);
  const message = `There is no colon behind \`${shorten(text)}\`.`;
  return {
    code: 'yaml-colon',
    message,
    hint: 'Every line of a map is `key: value`; longer texts go below `key: |`.',
    at,
  };
}

/** Two colons on a line, or a line that is further in than a key with a value above it. */
function nestedOnOneLine(error: LineError): Finding {
  if (error.message.includes('sequence')) return misplaced(error);
  if (error.others.some(({ code }) => code === 'MULTILINE_IMPLICIT_KEY')) {
    const next = error.source.lines.findIndex((line, index) => index >= error.at.line && /\S/.test(line));
    return misplaced(error, next < 0 ? error.at.line : next + 1);
  }
  const text = restOfLine(error);
  return {
    code: 'yaml-unquoted',
    message: 'A text that holds a colon with a space behind it must be in quotes.',
    hint: `Write \`${inQuotes(text)}\`, or the keys of a map on lines of their own.`,
    at: { ...error.at, length: text.length },
  };
}

function missingComma(error: LineError): Finding {
  if (error.line.includes('${{')) {
    const hint = "Write `['${{ matrix.node }}', other]`.";
    return { code: 'yaml-unquoted', message: 'Inside `[ ]` and `{ }` a text with `${{ }}` must be in quotes.', hint };
  }
  const hint = 'Put a comma between the entries inside `[ ]` or `{ }`.';
  return { code: 'yaml-syntax', message: 'A comma is missing between two entries.', hint };
}

function unexpectedToken(error: LineError): Finding {
  const { message, line } = error;
  const text = restOfLine(error);
  if (message.startsWith('Unexpected scalar at node end') && /["']/.test(line)) {
    const value = line.slice(0, error.at.column - 1).replace(/^[^"']*/, '') + text;
    const hint = `Put all of it in quotes: \`${inQuotes(value)}\`.`;
    return {
      code: 'yaml-unquoted',
      message: 'Text stands behind the closing quote.',
      hint,
      at: { ...error.at, length: text.length },
    };
  }
  if (message.startsWith('Not a YAML token')) {
    return {
      code: 'yaml-syntax',
      message: 'Text stands behind the `|` or `>` of a block.',
      hint: 'A block starts on the next line, two spaces further in.',
    };
  }
  const bracket = /"([\]}])"$/.exec(message)?.[1];
  if (bracket === undefined) return unexplained(error);
  return { code: 'yaml-syntax', message: `There is one \`${bracket}\` too many.`, hint: 'Delete it.' };
}
