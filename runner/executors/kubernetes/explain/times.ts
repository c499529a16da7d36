import type { CoreEvent } from '../../../cluster/objects.ts';

/** Milliseconds of a time of the API. Go's zero values (`null`, year 1, 1970) are no times. */
export function millis(time: string | null | undefined): number | undefined {
  const value = time ? Date.parse(time) : Number.NaN;
  return value > 0 ? value : undefined;
}

/** When an event was seen first. Some writers fill `eventTime` alone, others everything but that. */
export function firstSeen(event: CoreEvent): number {
  return (
    millis(event.firstTimestamp) ??
    millis(event.eventTime) ??
    millis(event.metadata.creationTimestamp) ??
    lastSeen(event)
  );
}

/** When an event was seen last. */
export function lastSeen(event: CoreEvent): number {
  return (
    millis(event.series?.lastObservedTime) ??
    millis(event.lastTimestamp) ??
    millis(event.eventTime) ??
    millis(event.metadata.creationTimestamp) ??
    0
  );
}
