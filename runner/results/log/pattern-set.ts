/** One block of three bytes decides how far the search may move on. */
const blockBytes = 3;
const tableBits = 17;
const tableMask = (1 << tableBits) - 1;

/** What begins at a place: a whole pattern, the start of one that the bytes are too short for, or nothing. */
type Found =
  | { readonly kind: 'match'; readonly start: number; readonly end: number }
  | { readonly kind: 'partial'; readonly start: number }
  | undefined;

/**
 * Searches bytes for many patterns at once (Wu and Manber, 1994): most bytes are skipped, because the block at the end
 * of a window as long as the shortest pattern occurs in none of them.
 */
export class PatternSet {
  private readonly window: number;
  private readonly skips: Uint8Array;
  /** Patterns by the block that ends their window and by their first byte, the longest first. */
  private readonly byBlock = new Map<number, Uint8Array[]>();
  private readonly byFirstByte = new Map<number, Uint8Array[]>();

  /** No pattern may be shorter than a block. */
  constructor(patterns: readonly Uint8Array[]) {
    this.window = Math.min(255, ...patterns.map((pattern) => pattern.length));
    this.skips = new Uint8Array(tableMask + 1).fill(this.window - blockBytes + 1);
    for (const pattern of patterns.toSorted((a, b) => b.length - a.length)) this.add(pattern);
  }

  /**
   * The first place at or behind `from` where a pattern starts, or, unless the bytes are `complete`, the beginning of
   * one that they cut off.
   */
  find(bytes: Uint8Array, from: number, complete: boolean): Found {
    const { skips, window } = this;
    const last = bytes.length - window;
    let start = from;
    while (start <= last) {
      const block = blockAt(bytes, start + window - blockBytes);
      const skip = skips[block] ?? 0;
      if (skip > 0) {
        start += skip;
        continue;
      }
      const found = compare(bytes, start, this.byBlock.get(block), complete);
      if (found) return found;
      start += 1;
    }
    return complete ? undefined : this.findBeginning(bytes, Math.max(from, last + 1));
  }

  private add(pattern: Uint8Array): void {
    for (let end = blockBytes; end <= this.window; end += 1) {
      const block = blockAt(pattern, end - blockBytes);
      this.skips[block] = Math.min(this.skips[block] ?? 0, this.window - end);
    }
    append(this.byBlock, blockAt(pattern, this.window - blockBytes), pattern);
    append(this.byFirstByte, pattern[0] ?? 0, pattern);
  }

  /** At the end there is no room for a window. */
  private findBeginning(bytes: Uint8Array, from: number): Found {
    for (let start = from; start < bytes.length; start += 1) {
      const found = compare(bytes, start, this.byFirstByte.get(bytes[start] ?? 0), false);
      if (found) return found;
    }
    return undefined;
  }
}

/** The longest pattern comes first, so that one that may still be completed goes before a shorter one. */
function compare(bytes: Uint8Array, start: number, candidates: readonly Uint8Array[] = [], complete: boolean): Found {
  for (const pattern of candidates) {
    const end = start + pattern.length;
    const cut = end > bytes.length;
    if ((cut && complete) || !equal(bytes, start, Math.min(end, bytes.length), pattern)) continue;
    return cut ? { kind: 'partial', start } : { kind: 'match', start, end };
  }
  return undefined;
}

function equal(bytes: Uint8Array, start: number, end: number, pattern: Uint8Array): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] !== pattern[at - start]) return false;
  return true;
}

function blockAt(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 9) ^ ((bytes[at + 1] ?? 0) << 5) ^ (bytes[at + 2] ?? 0)) & tableMask;
}

function append(map: Map<number, Uint8Array[]>, key: number, pattern: Uint8Array): void {
  const patterns = map.get(key);
  if (patterns) patterns.push(pattern);
  else map.set(key, [pattern]);
}
