/** A span of somebody else's trace, as a `traceparent` header names it. */
export interface TraceParent {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly parentId: string;
  /** Whether who sent it may have recorded its part of the trace. */
  readonly sampled: boolean;
}

/** Version, trace, parent, flags; versions after 00 may have more behind a dash. */
const form = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Reads a `traceparent` by the rules of https://www.w3.org/TR/trace-context/#traceparent-header. Undefined for one that is
 * malformed or there more than once: then the trace begins here.
 */
export function readTraceParent(header: string | readonly string[] | undefined): TraceParent | undefined {
  if (typeof header !== 'string') return undefined;
  const [, version, traceId, parentId, flags = '', more] = form.exec(header) ?? [];
  if (traceId === undefined || parentId === undefined || (version === '00' && more !== undefined)) return undefined;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
