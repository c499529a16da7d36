import type { CST } from 'yaml';

export const maxDepth = 64;

/** Something in the text before it is composed. */
interface Found {
  readonly type: string;
  readonly offset: number;
  readonly source: string;
}

export interface Scan {
  /** Offset of a value below too many others; nothing behind it was looked at. */
  readonly tooDeep?: number;
  /** Anchors, aliases, tags and directives, by offset. */
  readonly refused: readonly Found[];
  /** Quotes and brackets without an end, by offset. */
  readonly unclosed: readonly Found[];
}

/** Looks at YAML before it is composed; without recursion, because the composer recurses and must not meet a deep text. */
export function scanTokens(tokens: readonly CST.Token[]): Scan {
  const refused: Found[] = [];
  const unclosed: Found[] = [];
  const stack = [...tokens];
  const depths = tokens.map(() => 0);
  for (let token = stack.pop(); token; token = stack.pop()) {
    const depth = depths.pop() ?? 0;
    if (depth > maxDepth) return { tooDeep: token.offset, refused, unclosed };
    if (token.type === 'alias' || token.type === 'directive') refused.push(token);
    findProperties(token, refused);
    const open = unclosedIn(token);
    if (open) unclosed.push(open);
    pushChildren(token, stack);
    while (depths.length < stack.length) depths.push(depth + 1);
  }
  const byOffset = (a: Found, b: Found) => a.offset - b.offset;
  return { refused: refused.sort(byOffset), unclosed: unclosed.sort(byOffset) };
}

function pushChildren(token: CST.Token, stack: CST.Token[]): void {
  if (token.type === 'document') {
    if (token.value) stack.push(token.value);
  } else if ('items' in token) {
    for (const { key, value } of token.items) {
      if (key) stack.push(key);
      if (value) stack.push(value);
    }
  }
}

function findProperties(token: CST.Token, found: Found[]): void {
  if (token.type === 'document') addProperties(token.start, found);
  if (!('items' in token)) return;
  for (const { start, sep } of token.items) {
    addProperties(start, found);
    if (sep) addProperties(sep, found);
  }
}

function addProperties(tokens: readonly CST.SourceToken[], found: Found[]): void {
  for (const token of tokens) if (token.type === 'anchor' || token.type === 'tag') found.push(token);
}

function unclosedIn(token: CST.Token): Found | undefined {
  if (token.type === 'flow-collection') {
    const closed = token.end.some(({ type }) => type === 'flow-map-end' || type === 'flow-seq-end');
    return closed ? undefined : { type: token.type, offset: token.start.offset, source: token.start.source };
  }
  if (token.type !== 'single-quoted-scalar' && token.type !== 'double-quoted-scalar') return undefined;
  const { type, offset, source } = token;
  const closed = source.length > 1 && source.endsWith(source.charAt(0));
  return closed ? undefined : { type, offset, source: source.charAt(0) };
}
