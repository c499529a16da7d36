/**
 * Whether a whole name fits a pattern: `*` stands for anything but a slash, `**` for anything, and `**` with a slash
 * behind it for any number of folders, none included. Takes time in proportion to both lengths.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  let reachable = new Set([0]);
  for (const token of pattern.matchAll(/(?<=^|\/)\*\*\/|\*+|[^*]+/g)) {
    reachable = advance(token[0], name, reachable);
    if (reachable.size === 0) return false;
  }
  return reachable.has(name.length);
}

/** The last entry that fits decides; `!` in front takes out what earlier entries let in. */
export function matchesPatterns(patterns: readonly string[], name: string): boolean {
  const decisive = patterns.findLast((pattern) => matchesPattern(pattern.replace(/^!/, ''), name));
  return decisive !== undefined && !decisive.startsWith('!');
}

function advance(token: string, name: string, from: ReadonlySet<number>): Set<number> {
  const to = new Set<number>();
  if (!token.includes('*')) {
    for (const start of from) if (name.startsWith(token, start)) to.add(start + token.length);
    return to;
  }
  let open = false;
  for (let end = 0; end <= name.length; end++) {
    const begins = from.has(end);
    if (token === '*' && !begins && name[end - 1] === '/') open = false;
    open ||= begins;
    if (open && (token !== '**/' || begins || name[end - 1] === '/')) to.add(end);
  }
  return to;
}
