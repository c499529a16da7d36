import type { Scalar } from 'yaml';
import type { Location } from '../model/problem.ts';
import type { Span } from './positioned.ts';
import type { Text } from './read-text.ts';
import { textOf } from './read-value.ts';

/**
 * The place of a part of a text value. Exact wherever each line of the value is written as it reads; the whole value
 * where it is not, as with escapes in quotes.
 */
export function placeWithin(source: Text, node: Scalar.Parsed, within: Span): Location {
  const [start, end] = node.range;
  const written = source.text.slice(start, end);
  const starts = offsetsOf(written, textOf(node));
  const from = starts[within.offset];
  return from === undefined ? source.at(start, end) : source.at(start + from, start + from + within.length);
}

/** For each character of the value its offset in the written text, up to where the two cannot be matched any more. */
function offsetsOf(written: string, value: string): readonly number[] {
  const header = /^[|>].*\n/.exec(written)?.[0];
  const lineStart = header === undefined ? /[ \t]*/y : new RegExp(` {0,${blockIndent(written)}}`, 'y');
  const skip = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at;
    return at + (pattern.exec(written)?.[0].length ?? 0);
  };
  const offsets: number[] = [];
  let at = header === undefined ? Number(/^["']/.test(written)) : skip(lineStart, header.length);
  for (const character of value) {
    const lineEnd = skip(/[ \t]*\n/y, at);
    const folds = lineEnd > at && (character === ' ' || character === '\n') && written[at] !== character;
    const escaped = /^["']/.test(written) && /^(''|\\["\\/])/.test(written.slice(at, at + 2)) ? 1 : 0;
    if (!folds && written[at + escaped] !== character) break;
    offsets.push(at);
    const next = folds ? lineEnd : at + escaped + 1;
    at = folds || character === '\n' ? skip(lineStart, next) : next;
  }
  return offsets;
}

function blockIndent(written: string): number {
  return /\n( *)[^ \n]/.exec(written)?.[1]?.length ?? 0;
}
