import { ApiError } from './problem.ts';

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * The part that a `range` header asks for (RFC 9110 §14); undefined for the whole, also where it cannot be read or names
 * several parts. 416 when there is nothing there.
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const range =
    from === ''
      ? { start: Math.max(0, size - Number(to)), end: size }
      : { start: Number(from), end: to === '' ? size : Math.min(size, Number(to) + 1) };
  if (to !== '' && from !== '' && Number(to) < Number(from)) return undefined;
  if (range.start < range.end) return range;
  throw new ApiError({
    status: 416,
    code: 'range_not_satisfiable',
    detail: `There are ${size} bytes, and none of them is in that range.`,
    place: 'header/range',
    next: 'Ask for less, or without a range for all.',
  });
}
