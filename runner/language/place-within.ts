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
  const quoted = /^["']/.test(written);
  const lineStart = header === undefined ? /[ \t]*/y : new RegExp(` {0,${blockIndent(written)}}`, 'y');
  const skip = (pattern: RegExp, from: number) => {
    pattern.lastIndex = from;
    return from + (pattern.exec(written)?.[0].length ?? 0);
  };
  const offsets: number[] = [];
  let at = header === undefined ? Number(quoted) : skip(lineStart, header.length);
  let gapEnd = 0;
  while (offsets.length < value.length) {
    const character = value.charAt(offsets.length);
    if (at >= gapEnd) gapEnd = skip(/[ \t]*/y, at);
    const folds = written[gapEnd] === '\n' && /[ \n]/.test(character) && written[at] !== character;
    const escaped = Number(quoted && /^(''|\\["\\/])/.test(written.slice(at, at + 2)));
    if (!folds && written[at + escaped] !== character) break;
    offsets.push(at);
    const next = folds ? gapEnd + 1 : at + escaped + 1;
    at = folds || character === '\n' ? skip(lineStart, next) : next;
  }
  return offsets;
}

function blockIndent(written: string): number {
  return /\n( *)[^ \n]/.exec(written)?.[1]?.length ?? 0;
}
