import { severities } from './finding.ts';
import type { Finding, Severity } from './finding.ts';
import { waiverOf } from './waivers.ts';
import type { Waiver } from './waivers.ts';
import type { CheckedCase } from './write-junit.ts';

export interface FindingsLimit {
  /** Findings of this severity or a graver one are red. */
  readonly severity: Severity;
  readonly waivers: readonly Waiver[];
  /** `2026-11-28` */
  readonly today: string;
}

/** A case for each finding, and one for the tool itself, so that a tool without findings is on record too. */
export function judgeFindings(
  tool: string,
  findings: readonly Finding[],
  limit: FindingsLimit,
): readonly CheckedCase[] {
  const cases = findings.map((finding) => ({ name: nameOf(finding), failure: faultOf(finding, limit) }));
  return [{ name: `${tool} ended, with ${findings.length} findings` }, ...cases];
}

function nameOf({ rule, path, line }: Finding): string {
  return [rule, path, line].filter((part) => part !== undefined && part !== '').join(' ');
}

function faultOf(finding: Finding, { severity, waivers, today }: FindingsLimit): string | undefined {
  if (severities.indexOf(finding.severity) < severities.indexOf(severity)) return undefined;
  const waiver = waiverOf(finding, waivers, today);
  if (waiver !== undefined && waiver.until >= today) return undefined;
  const expired = waiver === undefined ? '' : ` (its waiver ended on ${waiver.until})`;
  return `${finding.severity}: ${finding.message}${expired}`;
}
