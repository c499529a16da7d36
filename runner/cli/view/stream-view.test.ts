import test from 'ava';
import { verdictOf } from '../../model/outcome.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { approvalStep, needs, planOf, runStep } from '../../model/plan-fixture.ts';
import { noColors } from '../terminal/palette.ts';
import { finished, play, runOf, started, tests } from './run-fixture.ts';
import { openStreamView } from './stream-view.ts';
import type { StreamOptions } from './stream-view.ts';

function open(options: Partial<StreamOptions> = {}) {
  let text = '';
  const write = (part: string) => {
    text += part;
  };
  const view = openStreamView({ write, palette: noColors, color: false, logs: true, ...options });
  return { view, text: () => text };
}

const plan = planOf([
  runStep('lint'),
  runStep('unit'),
  approvalStep('ask'),
  runStep('deploy', { needs: needs('unit') }),
]);

test('each line has the name of its step, each change of a step is a line', (t) => {
  const { view, text } = open();
  const state = play(view, runOf(plan), started('lint', 0), started('unit', 0));
  view.log('lint', 1, Buffer.from('one\ntw'));
  view.log('unit', 1, Buffer.from('\x1b[2Jred\n'));
  view.log('lint', 1, Buffer.from('o\nno end'));
  play(
    view,
    state,
    finished('lint', 1_200, { artifacts: 1 }),
    { type: 'approval-requested', step: 'ask', at: 1_300, message: 'go?', expiresAt: 9e12 },
    finished('unit', 2_000, { ...verdictOf('exit_code', 'exit code 1'), ...tests(9, 0) }),
    { type: 'step-settled', step: 'deploy', at: 2_000, verdict: verdictOf('needs_failed', 'unit failed'), outputs: {} },
  );
  view.close();
  t.is(
    text(),
    `> lint  started
> unit  started
lint │ one
unit │ red
lint │ two
lint │ no end
✓ lint  succeeded  1.2 s  1 artefact
? ask  waits for: sluice approve r1 ask
✗ unit  2.0 s  failed: exit code 1 · 9 tests
- deploy  skipped: unit failed
`,
  );
});

test('a character that comes in two pieces is one', (t) => {
  const { view, text } = open();
  const bytes = Buffer.from('漢字\n');
  view.log('a', 1, bytes.subarray(0, 2));
  view.log('a', 1, bytes.subarray(2));
  t.is(text(), 'a │ 漢字\n');
});

test('a line without end is given out in parts, so that it fills no memory', (t) => {
  const { view, text } = open();
  for (let part = 0; part < 20; part++) view.log('a', 1, Buffer.alloc(10_000, 'x'));
  t.true(text().length > 100_000);
});

test('without logs only the changes of steps are shown', (t) => {
  const { view, text } = open({ logs: false });
  const state = play(view, runOf(plan), started('lint', 0));
  view.log('lint', 1, Buffer.from('one\n'));
  play(view, state, finished('lint', 1_000));
  t.is(text(), '> lint  started\n✓ lint  succeeded  1.0 s\n');
});

test('a second attempt and the wait before it are told', (t) => {
  const { view, text } = open();
  const retry = {
    ...finished('lint', 1_000, verdictOf('exit_code')),
    next: { kind: 'retry', notBefore: 3_000, cause: 'user' },
  };
  play(view, runOf(plan), started('lint', 0), retry as RunEvent, started('lint', 3_000, 2));
  t.is(text(), '> lint  started\n· lint  1.0 s  tries again in 2.0 s\n> lint  attempt 2 started\n');
});
