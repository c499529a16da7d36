/** What a delivery may be, far above what forges send. The intake refuses a larger body before it reads on. */
export const deliveryLimits = {
  /** GitHub's own limit; the other forges send less. */
  bodyBytes: 25 * 1024 * 1024,
  /** Real payloads are nested eight deep. */
  depth: 64,
  /** Values of a payload: bounds what parsing costs in memory (some 50 bytes each) and time. */
  values: 500_000,
  /** Characters of a ref or a path; Git and file systems allow 4,096. */
  textLength: 4_096,
  /** Characters of a title that are kept. */
  titleLength: 200,
} as const;
