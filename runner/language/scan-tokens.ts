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
  const stack = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { token, depth } = next;
    if (depth > maxDepth) return { tooDeep: token.offset, refused, unclosed };
    if (token.type === 'alias' || token.type === 'directive') refused.push(token);
    for (const property of propertiesOf(token)) refused.push(property);
    unclosed.push(...unclosedIn(token));
    for (const child of childrenOf(token)) stack.push({ token: child, depth: depth + 1 });
  }
  const byOffset = (a: Found, b: Found) => a.offset - b.offset;
  return { refused: refused.sort(byOffset), unclosed: unclosed.sort(byOffset) };
}

function childrenOf(token: CST.Token): readonly CST.Token[] {
  if (token.type === 'document') return token.value ? [token.value] : [];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value].filter((child) => child !== null && child !== undefined));
}

function propertiesOf(token: CST.Token): readonly CST.SourceToken[] {
  if (token.type === 'document') return token.start.filter(isProperty);
  if (!('items' in token)) return [];
  return token.items.flatMap(({ start, sep }) => [...start, ...(sep ?? [])].filter(isProperty));
}

const isProperty = ({ type }: CST.SourceToken) => type === 'anchor' || type === 'tag';

function unclosedIn(token: CST.Token): readonly Found[] {
  if (token.type === 'flow-collection') {
    const closed = token.end.some(({ type }) => type === 'flow-map-end' || type === 'flow-seq-end');
    return closed ? [] : [{ type: token.type, offset: token.start.offset, source: token.start.source }];
  }
  if (token.type !== 'single-quoted-scalar' && token.type !== 'double-quoted-scalar') return [];
  const { type, offset, source } = token;
  return source.length > 1 && source.endsWith(source.charAt(0)) ? [] : [{ type, offset, source: source.charAt(0) }];
}
