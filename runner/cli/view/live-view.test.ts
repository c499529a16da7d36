import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { nothingBut } from '../dependencies-fixture.ts';
import { verdictOf } from '../../model/outcome.ts';
import { planOf, runStep } from '../../model/plan-fixture.ts';
import { openSession } from '../open-session.ts';
import { VirtualScreen } from '../terminal/virtual-screen-fixture.ts';
import { openLiveView } from './live-view.ts';
import { finished, play, runOf, started } from './run-fixture.ts';

const environment = { variables: { NO_COLOR: '1' }, processors: 2, user: 'ann', dataFolder: '/data' };
const plan = planOf([runStep('lint'), runStep('unit')]);

function open(columns: number, rows: number) {
  const terminal = new VirtualScreen(columns, rows);
  const io = { stdout: terminal, stderr: terminal, cwd: '/', signals: new EventEmitter() };
  const { session } = openSession(
    { color: true },
    { variables: {}, places: new Map() },
    io,
    nothingBut({ environment }),
  );
  return { terminal, view: openLiveView(session) };
}

test('the last lines of the step that went wrong stand below the tree', async (t) => {
  const { terminal, view } = open(80, 40);
  const state = play(view, runOf(plan), started('lint', 0), started('unit', 0));
  view.log('unit', 1, Buffer.from('first\n\x1b[2Jerror: it broke\n'));
  view.log('lint', 1, Buffer.from('checking a.ts\nchecking b.ts\n'));
  play(view, state, finished('unit', 2_000, verdictOf('exit_code', 'exit code 1')));
  await delay(150);
  t.regex(terminal.text, /✗ unit +2\.0 s {2}failed: exit code 1/);
  t.true(terminal.text.includes('\nunit failed: exit code 1\n│ first\n│ error: it broke\n'), terminal.text);
  t.regex(terminal.text, /lint .* checking b\.ts\n/);
  view.close();
  t.is(terminal.text, '');
});

test('a small terminal keeps the tree and does without the last lines', async (t) => {
  const { terminal, view } = open(40, 8);
  const state = play(view, runOf(plan), started('lint', 0), started('unit', 0));
  view.log('unit', 1, Buffer.from('error: it broke\n'));
  play(view, state, finished('unit', 2_000, verdictOf('exit_code', 'exit code 1')));
  await delay(150);
  t.false(terminal.text.includes('│'));
  t.true(terminal.text.includes('unit'));
  view.close();
});

test('a notice is seen at once', (t) => {
  const { terminal, view } = open(80, 20);
  play(view, runOf(plan), started('lint', 0));
  view.notice('Cancelling');
  t.true(terminal.text.includes('\nCancelling\n'));
  view.close();
});
