import { readFileSync } from 'node:fs';
import test from 'ava';
import { reasons } from '../../../model/outcome.ts';
import { endVerdict } from './end-verdict.ts';
import { situationNames, situationOf, viewsOf } from './situations-fixture.ts';
import { waitingReason } from './waiting-reason.ts';

const [, ofCluster = '', , ofSluice = ''] = readFileSync('docs/kubernetes-reasons.md', 'utf8').split('\n## ');
const rowsOf = (section: string): ReadonlyMap<string, string> =>
  new Map([...section.matchAll(/^\| `(\w+)` \|.*$/gm)].map(([row, reason = '']) => [reason, row]));
const shown = rowsOf(ofCluster);
const rows = [...shown, ...rowsOf(ofSluice)];

test('docs/kubernetes-reasons.md has each reason once, and no other', (t) => {
  t.deepEqual(rows.map(([reason]) => reason).toSorted(), Object.keys(reasons).toSorted());
});

test('its rows say the outcome and the hint of the reason', (t) => {
  for (const [reason, { outcome, hint }] of Object.entries(reasons)) {
    const row = rows.find(([name]) => name === reason)?.[1] ?? '';
    t.true(row.includes(`| ${outcome} |`) && row.includes(`| ${hint}`), reason);
  }
});

test('what it says the cluster shows is on record, and what is on record it has', (t) => {
  const views = situationNames.flatMap((name) => viewsOf(situationOf(name)));
  const waiting = views.map((view) => waitingReason(view, 0)?.reason);
  const ended = views.map((view) => endVerdict({ ...view, now: view.now + 300_000 })?.verdict.reason);
  const recorded = new Set([...waiting, ...ended].filter((reason) => reason !== undefined));
  // Nobody has seen a runtime that invents a word for success.
  t.deepEqual([...recorded, 'internal_error'].toSorted(), [...shown.keys()].toSorted());
});
