import type { CST } from 'yaml';

export const maxDepth = 64;

export interface Scan {
  readonly tooDeep?: CST.Token;
  /** Anchors, aliases, tags and directives, in no order. */
  readonly refused: readonly (CST.SourceToken | CST.FlowScalar | CST.Directive)[];
}

/** Looks at YAML before it is composed; without recursion, because the composer recurses and must not meet a deep text. */
export function scanTokens(tokens: readonly CST.Token[]): Scan {
  const refused: (CST.SourceToken | CST.FlowScalar | CST.Directive)[] = [];
  const stack = tokens.map((token) => ({ token, depth: 0 }));
  const push = (token: CST.Token | null | undefined, depth: number) => token && stack.push({ token, depth });
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { token, depth } = next;
    if (depth > maxDepth) return { tooDeep: token, refused };
    if (token.type === 'alias' || token.type === 'directive') refused.push(token);
    if (token.type === 'document') {
      refused.push(...properties(token.start));
      push(token.value, depth);
    }
    if (!('items' in token)) continue;
    for (const { start, key, sep, value } of token.items) {
      refused.push(...properties(start), ...properties(sep ?? []));
      push(key, depth + 1);
      push(value, depth + 1);
    }
  }
  return { refused };
}

const properties = (tokens: readonly CST.SourceToken[]) =>
  tokens.filter(({ type }) => type === 'anchor' || type === 'tag');
