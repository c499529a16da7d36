import { SluiceError } from '../model/errors.ts';
import type { Finding, Severity } from './finding.ts';

/** What one tool reported. */
export interface ScannerRun {
  readonly tool: string;
  readonly findings: readonly Finding[];
}

type Node = Readonly<Record<string, unknown>>;

/**
 * The findings of a report in SARIF 2.1.0, which most scanners write. Results that the tool marks as suppressed, or that are no findings (kind `pass`,
 * level `none`), are left out. ERR_GATE for anything else than SARIF, for a report without a run, and for a run that its tool calls a failure: they prove
 * nothing. Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/, §3.13, §3.14, §3.20.14, §3.27.
 */
export function readSarif(text: string, file: string): readonly ScannerRun[] {
  const runs = listOf(parsed(text, file)['runs']);
  if (runs.length === 0) throw refused(file, 'has no run: nothing was scanned');
  return runs.map((run) => readRun(nodeOf(run), file));
}

function parsed(text: string, file: string): Node {
  try {
    const document = nodeOf(JSON.parse(text));
    if (document['version'] === '2.1.0') return document;
  } catch (error) {
    throw refused(file, `is no JSON: ${String(error)}`);
  }
  throw refused(file, 'is no SARIF 2.1.0');
}

function refused(file: string, why: string): SluiceError {
  return new SluiceError('ERR_GATE', `${file} ${why}`, {
    hint: 'Let the scanner write its report as SARIF 2.1.0; most have an option such as `--format sarif`.',
  });
}

function readRun(run: Node, file: string): ScannerRun {
  const driver = nodeOf(nodeOf(run['tool'])['driver']);
  const tool = textOf(driver['name']) || 'the scanner';
  if (listOf(run['invocations']).some((each) => nodeOf(each)['executionSuccessful'] === false)) {
    throw new SluiceError('ERR_GATE', `${tool} says in ${file} that it did not succeed`, {
      hint: 'The log of the step `scan` says why.',
    });
  }
  const rules = listOf(driver['rules']).map(nodeOf);
  return { tool, findings: listOf(run['results']).flatMap((result) => readResult(nodeOf(result), rules)) };
}

function readResult(result: Node, rules: readonly Node[]): readonly Finding[] {
  const { ruleId, ruleIndex, kind = 'fail', level: own } = result;
  const rule =
    rules.find(({ id }) => id === ruleId) ?? (typeof ruleIndex === 'number' ? rules[ruleIndex] : undefined) ?? {};
  const level = own ?? nodeOf(rule['defaultConfiguration'])['level'] ?? 'warning';
  const isSuppressed = listOf(result['suppressions']).some(
    (each) => (nodeOf(each)['status'] ?? 'accepted') === 'accepted',
  );
  if (kind !== 'fail' || level === 'none' || isSuppressed) return [];
  const place = nodeOf(nodeOf(listOf(result['locations'])[0])['physicalLocation']);
  const line = nodeOf(place['region'])['startLine'];
  const finding: Finding = {
    rule: textOf(ruleId) || textOf(rule['id']) || 'unnamed',
    severity: severityOf(scoreOf(result) ?? scoreOf(rule), level),
    message: textOf(nodeOf(result['message'])['text']),
    path: textOf(nodeOf(place['artifactLocation'])['uri']).replace(/^(file:\/\/)?(\.\/)*/, ''),
    ...(typeof line === 'number' && { line }),
  };
  return [finding];
}

/** A score of CVSS, as scanners that GitHub reads give it. */
function scoreOf(node: Node): number | undefined {
  const score = Number(nodeOf(node['properties'])['security-severity']);
  return Number.isFinite(score) ? score : undefined;
}

/** By the bands of CVSS 3.1, §5; without a score by the level. */
function severityOf(score: number | undefined, level: unknown): Severity {
  if (score === undefined) return level === 'error' ? 'high' : level === 'note' ? 'low' : 'medium';
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  return score >= 4 ? 'medium' : 'low';
}

/** Outside data: what is not as it should be counts as missing. */
function nodeOf(value: unknown): Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
