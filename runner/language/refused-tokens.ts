import type { Location, Problem } from '../model/problem.ts';
import { maxShown, problem } from './problem.ts';
import type { Text } from './read-text.ts';
import type { Scan } from './scan-tokens.ts';
import { inQuotes, withoutComment } from './wording.ts';

/** Anchors, aliases, tags and directives as problems. Most aliases and tags are texts that somebody forgot to quote. */
export function explainRefusedTokens(source: Text, tokens: Scan['refused']): readonly Problem[] {
  const anchors = new Set(tokens.filter(({ type }) => type === 'anchor').map((token) => token.source.slice(1)));
  return tokens.slice(0, maxShown + 1).map((token) => {
    const at = source.at(token.offset, token.offset + token.source.length);
    const [code, message, hint] = explain(token.type, token.source, anchors) ?? unquoted(source, at, token.source);
    return problem(source, at, code, message, hint);
  });
}

type Explanation = readonly ['yaml-anchor' | 'yaml-tag' | 'yaml-directive' | 'yaml-unquoted', string, string];

function explain(type: string, text: string, anchors: ReadonlySet<string>): Explanation | undefined {
  if (type === 'directive') return ['yaml-directive', `The directive \`${text}\` is not allowed.`, 'Delete the line.'];
  if (type === 'anchor') return ['yaml-anchor', `The anchor \`${text}\` is not allowed.`, insteadOfAnchors];
  if (type === 'alias' && anchors.has(text.slice(1))) {
    return ['yaml-anchor', `The alias \`${text}\` is not allowed.`, insteadOfAnchors];
  }
  if (text.startsWith('!!')) {
    return ['yaml-tag', `The tag \`${text}\` is not allowed.`, 'Delete it: the schema says what each value is.'];
  }
  return undefined;
}

function unquoted(source: Text, { line, column }: Location, token: string): Explanation {
  const text = source.lines[line - 1] ?? '';
  const value = /[[{,]/.test(text.slice(0, column - 1)) ? token : withoutComment(text.slice(column - 1));
  const message = `A text that starts with \`${token.charAt(0)}\` must be in quotes.`;
  return ['yaml-unquoted', message, `Write \`${inQuotes(value)}\`.`];
}

const insteadOfAnchors =
  'Write the value out. Values for all steps go into `env` at the top, variants of a step into `matrix`, steps that are used again into a workflow file with `uses`.';
