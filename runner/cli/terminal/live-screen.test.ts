import test from 'ava';
import fc from 'fast-check';
import { openLiveScreen } from './live-screen.ts';
import { VirtualScreen } from './virtual-screen-fixture.ts';

test('a picture replaces the one before it', (t) => {
  const terminal = new VirtualScreen(40, 10);
  terminal.write('$ sluice run\n');
  const screen = openLiveScreen(terminal);
  screen.draw(['lint running', 'unit waiting']);
  screen.draw(['lint ok', 'unit running', 'deploy waiting']);
  t.is(terminal.text, '$ sluice run\nlint ok\nunit running\ndeploy waiting');
  screen.draw(['lint ok']);
  t.is(terminal.text, '$ sluice run\nlint ok');
});

test('what did not change is not written again', (t) => {
  const terminal = new VirtualScreen(80, 30);
  const screen = openLiveScreen(terminal);
  const lines = Array.from({ length: 20 }, (_, index) => `step ${index} is running since a while`);
  screen.draw(lines);
  const before = terminal.written;
  screen.draw(lines);
  t.is(terminal.written, before);
  screen.draw(lines.with(10, 'step 10 is done'));
  t.true(terminal.written - before < 60);
});

test('lines are cut to the width, pictures to the height', (t) => {
  const terminal = new VirtualScreen(20, 4);
  const screen = openLiveScreen(terminal);
  screen.draw(['x'.repeat(50), '漢'.repeat(50), 'three', 'four', 'five']);
  t.is(terminal.text, `${'x'.repeat(18)}…\n${'漢'.repeat(9)}…\nthree`);
});

test('a terminal that becomes narrower or wider keeps no remains', (t) => {
  const terminal = new VirtualScreen(60, 20);
  terminal.write('$ sluice run\n');
  const screen = openLiveScreen(terminal);
  screen.draw(['a'.repeat(55), 'b'.repeat(10), 'c'.repeat(55)]);
  terminal.resize(25, 20);
  screen.draw(['a'.repeat(55), 'b'.repeat(10)]);
  t.is(terminal.text, `$ sluice run\n${'a'.repeat(23)}…\n${'b'.repeat(10)}`);
  terminal.resize(60, 20);
  screen.draw(['a'.repeat(55)]);
  t.is(terminal.text, `$ sluice run\n${'a'.repeat(55)}`);
});

test('closing takes the picture away and gives the cursor back, once', (t) => {
  const terminal = new VirtualScreen(40, 10);
  terminal.write('$ sluice run\n');
  const screen = openLiveScreen(terminal);
  screen.draw(['one', 'two']);
  t.false(terminal.cursorVisible);
  screen.close();
  t.is(terminal.text, '$ sluice run');
  t.true(terminal.cursorVisible);
  const { written } = terminal;
  screen.close();
  screen.draw(['late']);
  t.is(terminal.written, written);
});

test('after any pictures the screen shows the last one', (t) => {
  const picture = fc.array(fc.constantFrom('', 'a', 'bb', 'running', '漢字'), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(picture, { minLength: 1 }), (pictures) => {
      const terminal = new VirtualScreen(40, 10);
      const screen = openLiveScreen(terminal);
      for (const lines of pictures) screen.draw(lines);
      return terminal.text === (pictures.at(-1) ?? []).join('\n').trimEnd();
    }),
  );
  t.pass();
});
