export interface PathFault {
  readonly code: 'path-outside' | 'glob-invalid';
  readonly message: string;
  readonly hint: string;
}

const maxWildcards = 8;

/** What is wrong with a path or pattern of the workspace. `home` allows `~/`. */
export function patternFault(path: string, home = false): PathFault | undefined {
  return pathFault(path, home) ?? globFault(path);
}

/** What is wrong with the path of one file or folder. */
export function pathFault(path: string, home = false): PathFault | undefined {
  const inside = home && path.startsWith('~/') ? path.slice(2) : path;
  if (inside.startsWith('/') || inside.startsWith('~') || /^[A-Za-z]:/.test(inside) || inside.includes('\\')) {
    return outside(path, home, 'is not a path of the workspace');
  }
  if (inside.split(/[/{},()|]/).includes('..')) return outside(path, home, 'leaves the workspace');
  return undefined;
}

function outside(path: string, home: boolean, why: string): PathFault {
  const hint = `Paths begin at the root of the repository, with forward slashes and without \`..\`${home ? '; `~/` is the home folder' : ''}.`;
  return { code: 'path-outside', message: `\`${path}\` ${why}.`, hint };
}

/** Patterns are kept so plain that matching cannot take long. */
function globFault(glob: string): PathFault | undefined {
  const invalid = (message: string, hint: string): PathFault => ({ code: 'glob-invalid', message, hint });
  if (/[\0\n\r]/.test(glob)) return invalid('A path has one line.', 'Write each path as an entry of its own.');
  if (/[()|]/.test(glob)) {
    return invalid(`\`${glob}\` uses a group, which patterns do not have.`, 'Use `*`, `**`, `?`, `[abc]` and `{a,b}`.');
  }
  if ((glob.match(/\*+/g) ?? []).length > maxWildcards) {
    return invalid(`\`${glob}\` has more than ${maxWildcards} wildcards.`, 'Use `**` for any number of folders.');
  }
  if (!balanced(glob)) return invalid(`\`${glob}\` is not a pattern.`, 'Close each `[` and `{`.');
  return undefined;
}

function balanced(glob: string): boolean {
  const open: string[] = [];
  for (const character of glob) {
    if (character === '[' || character === '{') open.push(character === '[' ? ']' : '}');
    else if ((character === ']' || character === '}') && open.pop() !== character) return false;
  }
  return open.length === 0;
}
