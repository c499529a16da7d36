import { Composer } from 'yaml';
import type { Document, ParsedNode } from 'yaml';
import type { Problem } from '../model/problem.ts';
import { problem } from './problem.ts';
import type { Text } from './read-text.ts';
import { maxLexemes, readTokens } from './read-tokens.ts';
import { explainRefusedTokens } from './refused-tokens.ts';
import { maxDepth, scanTokens } from './scan-tokens.ts';
import { explainSyntaxErrors } from './syntax-errors.ts';

export interface YamlText {
  /** Undefined where nothing can be made of the text. */
  readonly root?: ParsedNode;
  readonly problems: readonly Problem[];
  /** The line from which on the text is not YAML, Infinity if it is; what stands above it can still be judged. */
  readonly brokenLine: number;
}

// Failsafe: every scalar stays text. Keys are compared by the reader, because the library's own check is quadratic.
const composing = { schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' } as const;

/** Text to YAML nodes that keep the way they were written: nothing is guessed, no alias is followed. */
export function readYaml(source: Text): YamlText {
  const tokens = readTokens(source.text);
  if (!tokens) return { problems: [tooMuch(source)], brokenLine: 0 };
  const scan = scanTokens(tokens);
  if (scan.tooDeep !== undefined) return { problems: [tooDeep(source, scan.tooDeep)], brokenLine: 0 };
  const composed = withoutStacks(() => [...new Composer(composing).compose(tokens, true, source.text.length)]);
  const documents = composed as readonly Document.Parsed[];
  const errors = documents.flatMap((document) => document.errors);
  const syntax = explainSyntaxErrors(source, errors, scan.unclosed);
  const problems = [
    ...explainRefusedTokens(source, scan.refused),
    ...documents.slice(1, 2).map((document) => secondDocument(source, document)),
    ...syntax,
  ];
  const [firstError] = errors.map(({ pos }) => pos[0]).sort((a, b) => a - b);
  const broken = [...syntax, ...(firstError === undefined ? [] : [source.at(firstError)])];
  const brokenLine = Math.min(...broken.map(({ line }) => line));
  const root = documents[0]?.contents;
  return { ...(root && { root }), problems, brokenLine };
}

/** The library makes an Error for each mistake, of which a text can have a hundred thousand; nobody reads their stacks. */
function withoutStacks<Value>(work: () => Value): Value {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function tooMuch(source: Text): Problem {
  const message = `The file has more than ${maxLexemes} words and signs.`;
  const hint = 'Move steps to workflow files and call them by `uses`.';
  return problem(source, source.at(0), 'file-too-large', message, hint);
}

function tooDeep(source: Text, offset: number): Problem {
  const message = `Values are nested more than ${maxDepth} levels deep.`;
  return problem(source, source.at(offset), 'too-deep', message, 'No pipeline needs more than ten levels.');
}

function secondDocument(source: Text, document: Document.Parsed): Problem {
  const at = source.at(document.range[0]);
  const hint = 'Delete the `---` or `...` before it, or move what follows to a file of its own.';
  return problem(source, at, 'yaml-documents', 'A second YAML document starts here; a file has one.', hint);
}
