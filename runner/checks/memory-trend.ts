/** What a process took at one moment. */
export interface MemorySample {
  /** ms since the load began. */
  readonly at: number;
  readonly bytes: number;
}

/** The gauge that client libraries of Prometheus have for every process (https://prometheus.io/docs/instrumenting/writing_clientlibs/, "Process metrics"). */
const gauge = /^process_resident_memory_bytes(?:\{[^}]*\})?[ \t]+([0-9.eE+]+)/m;

/** Resident memory by a text in the format of Prometheus, in bytes; undefined when it does not say. */
export function residentBytes(metrics: string): number | undefined {
  const bytes = Number(gauge.exec(metrics)?.[1]);
  return Number.isFinite(bytes) && bytes > 0 ? bytes : undefined;
}

/**
 * How fast memory grows, in bytes a second: the median of the slopes between all pairs of samples (Theil-Sen), which a few collections of
 * garbage do not bend as they bend a least-squares line. Undefined for fewer than two samples.
 */
export function bytesPerSecond(samples: readonly MemorySample[]): number | undefined {
  const slopes = samples
    .flatMap((late, index) =>
      samples.slice(0, index).map((early) => ((late.bytes - early.bytes) / (late.at - early.at)) * 1_000),
    )
    .toSorted((one, other) => one - other);
  const middle = Math.floor(slopes.length / 2);
  return slopes.length % 2 === 1 ? slopes[middle] : median(slopes[middle - 1], slopes[middle]);
}

function median(below: number | undefined, above: number | undefined): number | undefined {
  return below === undefined || above === undefined ? undefined : (below + above) / 2;
}
