import { SluiceError } from '../model/errors.ts';
import type { Finding, Severity } from './finding.ts';

/** What one tool reported. */
export interface ScannerRun {
  readonly tool: string;
  readonly findings: readonly Finding[];
}

type Node = Readonly<Record<string, unknown>>;

/**
 * The findings of a report in SARIF 2.1.0, which most scanners write. Results that the tool marks as suppressed, that are gone since its last report, or that are no
 * findings (kind `pass`, level `none`), are left out. ERR_GATE for anything else than SARIF, for a report without a run, for a run without a list of results, and for
 * one that its tool calls a failure: they prove nothing. Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/, §3.13, §3.14, §3.20.14, §3.27.
 */
export function readSarif(text: string, file: string): readonly ScannerRun[] {
  const runs = listOf(parsed(text, file)['runs']);
  if (runs.length === 0) throw refused(file, 'has no run: nothing was scanned');
  return runs.map((run) => readRun(nodeOf(run), file));
}

function parsed(text: string, file: string): Node {
  try {
    const document = nodeOf(JSON.parse(text.replace(/^\uFEFF/, '')));
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
  const { driver, extensions } = nodeOf(run['tool']);
  const tool = textOf(nodeOf(driver)['name']) || 'the scanner';
  if (listOf(run['invocations']).some((each) => nodeOf(each)['executionSuccessful'] === false)) {
    throw new SluiceError('ERR_GATE', `${tool} says in ${file} that it did not succeed`, {
      hint: 'The log of the step `scan` says why.',
    });
  }
  // §3.14.23: an empty list when nothing was found, and none when nothing was looked for.
  if (!Array.isArray(run['results'])) throw refused(file, `has no list of results of ${tool}: nothing was scanned`);
  const rules = { own: rulesOf(driver), ofExtensions: listOf(extensions).map(rulesOf) };
  return { tool, findings: run['results'].flatMap((result) => readResult(nodeOf(result), rules)) };
}

/** A component's descriptions of what it looks for. */
function rulesOf(component: unknown): readonly Node[] {
  return listOf(nodeOf(component)['rules']).map(nodeOf);
}

interface Rules {
  readonly own: readonly Node[];
  /** Of each extension of the tool: CodeQL has all of its rules there. */
  readonly ofExtensions: readonly (readonly Node[])[];
}

function readResult(result: Node, rules: Rules): readonly Finding[] {
  const { kind = 'fail', level: own, baselineState } = result;
  const { id, rule } = ruleOf(result, rules);
  const level = own ?? nodeOf(rule['defaultConfiguration'])['level'] ?? 'warning';
  const isSuppressed = listOf(result['suppressions']).some(
    (each) => (nodeOf(each)['status'] ?? 'accepted') === 'accepted',
  );
  if (kind !== 'fail' || level === 'none' || isSuppressed || baselineState === 'absent') return [];
  const place = nodeOf(nodeOf(listOf(result['locations'])[0])['physicalLocation']);
  const line = nodeOf(place['region'])['startLine'];
  const finding: Finding = {
    rule: id || textOf(rule['id']) || 'unnamed',
    severity: severityOf(scoreOf(result) ?? scoreOf(rule), level),
    message: messageOf(result, rule),
    path: textOf(nodeOf(place['artifactLocation'])['uri']).replace(/^(file:\/\/)?(\.\/)*/, ''),
    ...(typeof line === 'number' && { line }),
  };
  return [finding];
}

/** §3.27.5 to 3.27.7: named by id or index, beside the result or in its `rule`, which may lead to an extension. An id may have parts: `R1/overflow` is of `R1`. */
function ruleOf(result: Node, { own, ofExtensions }: Rules): { readonly id: string; readonly rule: Node } {
  const reference = nodeOf(result['rule']);
  const id = textOf(result['ruleId']) || textOf(reference['id']);
  const index = Number(result['ruleIndex'] ?? reference['index'] ?? -1);
  const extension = Number(nodeOf(reference['toolComponent'])['index'] ?? -1);
  const named = ofExtensions[extension] ?? own;
  const byId = (wanted: string): Node | undefined =>
    [named, own, ...ofExtensions].flat().find((rule) => wanted !== '' && rule['id'] === wanted);
  return { id, rule: byId(id) ?? named[index] ?? byId(id.replace(/\/[^/]*$/, '')) ?? {} };
}

/** §3.11: as text, or as the id of a text of the rule. */
function messageOf({ message }: Node, rule: Node): string {
  const { text, id } = nodeOf(message);
  const ofRule = nodeOf(nodeOf(rule['messageStrings'])[textOf(id)])['text'];
  return textOf(text) || textOf(ofRule) || textOf(nodeOf(rule['shortDescription'])['text']) || 'it says nothing more';
}

/** A score of CVSS, as scanners that GitHub reads give it. */
function scoreOf(node: Node): number | undefined {
  const told = nodeOf(node['properties'])['security-severity'];
  const score = typeof told === 'number' ? told : Number.parseFloat(textOf(told));
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
