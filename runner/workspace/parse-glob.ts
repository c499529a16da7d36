import picomatch from 'picomatch';

export interface Glob {
  readonly inHome: boolean;
  /** The folder, or for a glob without wildcards the path, below which all matches are; '' for the root. */
  readonly base: string;
  /** How many levels of folders below `base` can hold matches. */
  readonly depth: number;
  readonly literal: boolean;
  /** Whether a path relative to the root (the home folder, if `inHome`) is meant. */
  readonly matches: (path: string) => boolean;
}

/** Undefined for a glob that leads out of the workspace. */
export function parseGlob(text: string): Glob | undefined {
  const inHome = text === '~' || text.startsWith('~/');
  const parts = (inHome ? text.slice(1) : text).split('/').filter((part) => part !== '' && part !== '.');
  if (text.startsWith('/') || parts.includes('..')) return undefined;
  const pattern = parts.join('/');
  const scanned = picomatch.scan(pattern, { nonegate: true });
  const base = scanned.base.replaceAll(/\\(.)/g, '$1');
  if (!scanned.isGlob) return { inHome, base, depth: Infinity, literal: true, matches: () => true };
  // A star between slashes stays within its folder; alternatives and `**` may span several.
  const depth = /\*\*|[{(]/.test(pattern) ? Infinity : parts.length - base.split('/').filter(Boolean).length;
  return {
    inHome,
    base,
    depth,
    literal: false,
    matches: picomatch(pattern, { dot: true, nonegate: true, flags: 's' }),
  };
}
