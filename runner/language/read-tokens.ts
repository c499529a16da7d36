import { Lexer, Parser } from 'yaml';
import type { CST } from 'yaml';

/** A file of 1,000 steps that use most of what a step can say has some 130,000. */
export const maxLexemes = 200_000;
const maxErrors = 10;

/**
 * The text as YAML tokens, undefined when it has more words and signs than a file may have: the composer needs time
 * and memory for each. Reading ends early in a text that is not YAML anyway.
 */
export function readTokens(text: string): readonly CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > maxLexemes) return undefined;
    // Most lexemes complete no token, so that a loop over what comes would cost more than the rest of this one.
    const read = parser.next(lexeme);
    for (let next = read.next(); next.done !== true; next = read.next()) {
      tokens.push(next.value);
      if (next.value.type === 'error') errors += 1;
    }
    if (errors >= maxErrors) break;
  }
  return [...tokens, ...parser.end()];
}
