import test from 'ava';
import type { Finding } from './finding.ts';
import { judgeFindings } from './judge-findings.ts';
import { readWaivers } from './waivers.ts';

const finding: Finding = { rule: 'B602', severity: 'high', message: 'a shell', path: 'app.py', line: 7 };
const limit = (waivers: string, today = '2026-11-28') => ({
  severity: 'high' as const,
  waivers: readWaivers(waivers, 'waivers.yaml'),
  today,
});
const faults = (...args: Parameters<typeof judgeFindings>) =>
  judgeFindings(...args).flatMap(({ failure }) => failure ?? []);

test('findings below the limit stay green, those at it are red', (t) => {
  const low: Finding = { ...finding, severity: 'medium' };
  t.deepEqual(judgeFindings('scan', [low, finding], limit('[]')), [
    { name: 'scan ended, with 2 findings' },
    { name: 'B602 app.py 7', failure: undefined },
    { name: 'B602 app.py 7', failure: 'high: a shell' },
  ]);
  t.deepEqual(faults('scan', [{ ...finding, severity: 'critical' }], limit('[]')), ['critical: a shell']);
});

test('a waiver counts for its rule and file until its last day', (t) => {
  const waiver = '- { rule: B602, path: app.py, until: 2026-11-28, reason: replaced next week }';
  t.deepEqual(faults('scan', [finding], limit(waiver)), []);
  t.deepEqual(faults('scan', [finding], limit(waiver, '2026-11-29')), [
    'high: a shell (its waiver ended on 2026-11-28)',
  ]);
  t.is(faults('scan', [{ ...finding, path: 'other.py' }], limit(waiver)).length, 1);
  t.is(faults('scan', [{ ...finding, rule: 'B1' }], limit(waiver)).length, 1);
  t.deepEqual(faults('scan', [finding], limit('- { rule: B602, until: 2027-01-01, reason: everywhere }')), []);
});

test('a waiver that says too little is refused with its place', (t) => {
  for (const [text, message] of [
    ['rule: B602', 'waivers.yaml: it is no list'],
    ['- { rule: B602, until: 2027-01-01 }', 'waivers.yaml, entry 1: `reason` is missing'],
    ['- { rule: B602, reason: x }', 'waivers.yaml, entry 1: `until` is no day such as 2027-03-31'],
    ['- { rule: B602, until: soon, reason: x }', 'waivers.yaml, entry 1: `until` is no day such as 2027-03-31'],
    ['- { until: 2027-01-01, reason: x }', 'waivers.yaml, entry 1: `rule` is missing'],
    ['- { rule: B602, until: 2027-01-01, reason: x, file: a }', 'waivers.yaml, entry 1: there is no key `file`'],
    ['- text', 'waivers.yaml, entry 1: there is no key `0`'],
  ] as const) {
    t.throws(() => readWaivers(text, 'waivers.yaml'), { code: 'ERR_GATE', message }, text);
  }
  t.throws(() => readWaivers('- {', 'waivers.yaml'), { code: 'ERR_GATE', message: /^waivers\.yaml: .* line 1/ });
});
