import { readFileSync } from 'node:fs';
import test from 'ava';
import type { Severity } from './finding.ts';
import { readSarif } from './read-sarif.ts';

const sarif = (...runs: readonly object[]): string => JSON.stringify({ version: '2.1.0', runs });
const result = (more: object): object => ({ ruleId: 'r', message: { text: 'why' }, ...more });
const run = (rules: readonly object[], results: readonly object[], more: object = {}): object => ({
  tool: { driver: { name: 'scan', rules } },
  results,
  ...more,
});

test('R003-17: a report of a real scanner (bandit 1.9.4) becomes findings with place and severity', (t) => {
  const text = readFileSync(new URL('fixtures/bandit.sarif', import.meta.url), 'utf8');
  const [{ tool, findings } = { tool: '', findings: [] }, ...others] = readSarif(text, 'scan.sarif');
  t.is(tool, 'Bandit');
  t.is(others.length, 0);
  t.deepEqual(
    findings.map(({ rule, severity, path, line }) => ({ rule, severity, path, line })),
    [
      { rule: 'B404', severity: 'low', path: 'app.py', line: 1 },
      { rule: 'B105', severity: 'low', path: 'app.py', line: 3 },
      { rule: 'B602', severity: 'high', path: 'app.py', line: 7 },
    ],
  );
});

test('severity is that of the score, of the result before that of its rule, else that of the level', (t) => {
  const score = (value: string) => ({ properties: { 'security-severity': value } });
  const cases: readonly (readonly [rule: object, result: object, severity: Severity])[] = [
    [score('9.8'), { level: 'note' }, 'critical'],
    [score('7.0'), {}, 'high'],
    [score('4.0'), {}, 'medium'],
    [score('0.1'), {}, 'low'],
    [score('0.1'), score('9.0'), 'critical'],
    [{}, { level: 'error' }, 'high'],
    [{}, {}, 'medium'],
    [{ defaultConfiguration: { level: 'note' } }, {}, 'low'],
    [score(''), { level: 'error' }, 'high'],
  ];
  for (const [rule, own, severity] of cases) {
    const [read] = readSarif(sarif(run([{ id: 'r', ...rule }], [result(own)])), 'x');
    t.is(read?.findings[0]?.severity, severity, JSON.stringify([rule, own]));
  }
});

test('a rule is found by id or index, in an extension too, and gives severity and text', (t) => {
  const critical = { id: 'r', properties: { 'security-severity': '9.8' } };
  const text = { messageStrings: { told: { text: 'of the rule' } } };
  const extensions = [{ name: 'none' }, { name: 'pack', rules: [{ ...critical, ...text }] }];
  const inPack = { tool: { driver: { name: 'CodeQL', rules: [] }, extensions } };
  const cases: readonly (readonly [more: object, result: object, message: string])[] = [
    [{}, result({}), 'why'],
    [{}, { rule: { id: 'r' }, message: { text: 'why' } }, 'why'],
    [{}, { ruleIndex: 0, message: {} }, 'it says nothing more'],
    [{}, { rule: { index: 0 }, message: { text: 'why' } }, 'why'],
    [{}, result({ ruleId: 'r/part' }), 'why'],
    [inPack, { ruleId: 'r', message: { id: 'told' } }, 'of the rule'],
    [inPack, { rule: { index: 0, toolComponent: { index: 1 } }, message: { id: 'told' } }, 'of the rule'],
  ];
  for (const [more, own, message] of cases) {
    const [read] = readSarif(`\uFEFF${sarif(run([critical], [own], more))}`, 'x');
    t.like(read?.findings[0], { severity: 'critical', message }, JSON.stringify([more, own]));
  }
});

test('what is suppressed or passed is no finding, a suppression that was rejected is none', (t) => {
  const results = [
    result({ suppressions: [{ kind: 'inSource' }] }),
    result({ kind: 'pass' }),
    result({ level: 'none' }),
    result({ baselineState: 'absent' }),
    result({ suppressions: [{ kind: 'external', status: 'rejected' }] }),
  ];
  t.is(readSarif(sarif(run([], results)), 'x')[0]?.findings.length, 1);
});

test('a report that proves nothing is refused', (t) => {
  const failed = run([], [], { invocations: [{ executionSuccessful: false }] });
  for (const [text, message] of [
    ['', /^x is no JSON/],
    ['[]', /^x is no SARIF 2\.1\.0/],
    ['{"version":"1.0.0","runs":[]}', /^x is no SARIF 2\.1\.0/],
    [sarif(), /^x has no run/],
    [sarif({}), /^x has no list of results of the scanner/],
    [sarif({ ...run([], []), results: null }), /^x has no list of results of scan: nothing was scanned/],
    [sarif(failed), /^scan says in x that it did not succeed/],
  ] as const) {
    t.throws(() => readSarif(text, 'x'), { code: 'ERR_GATE', message }, text);
  }
});
