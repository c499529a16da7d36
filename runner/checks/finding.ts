/** From the least. */
export const severities = ['low', 'medium', 'high', 'critical'] as const;

export type Severity = (typeof severities)[number];

/** Something that a scanner or a policy has to say against a file. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  /** As its tool names it, mostly relative to the repository; '' when it is about none. */
  readonly path: string;
  readonly line?: number;
}
