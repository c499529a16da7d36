import test from 'ava';
import fc from 'fast-check';
import { fit, fitName, harmless, padTo, widthOf } from './text.ts';

const hostile: readonly (readonly [title: string, text: string, shown: string])[] = [
  ['clears the screen', 'a\x1b[2Jb', 'ab'],
  ['moves the cursor', 'a\x1b[3A\x1b[10;10Hb', 'ab'],
  ['sets the title', 'a\x1b]0;title\x07b', 'ab'],
  ['sets the title, ended by ST', 'a\x1b]0;title\x1b\\b', 'ab'],
  ['begins a title and does not end it', 'a\x1b]0;title', 'a'],
  ['writes the clipboard', 'a\x1b]52;c;aGk=\x07b', 'ab'],
  ['makes a link', '\x1b]8;;http://x\x07text\x1b]8;;\x07', 'text'],
  ['sends a device string', 'a\x1bP+q544e\x1b\\b', 'ab'],
  ['asks the terminal who it is', 'a\x1b[cb', 'ab'],
  ['switches the character set', 'a\x1b(0b', 'ab'],
  ['resets the terminal', 'a\x1bcb', 'ab'],
  ['hides the cursor', 'a\x1b[?25lb', 'ab'],
  ['uses controls of eight bits', 'a\u009b2Jb', 'a2Jb'],
  ['rings and deletes', 'a\x07\x08\x7fb', 'ab'],
  ['turns the direction of text', 'a\u202eb\u2066c', 'abc'],
  ['overwrites itself', '10 %\r50 %\r100 %', '100 %'],
  ['ends with a return', 'done\r', 'done'],
  ['has tabs', 'a\tb', 'a    b'],
];

for (const [title, text, shown] of hostile) {
  test(`a line that ${title} is shown as what it says`, (t) => {
    t.is(harmless(text, true), shown);
  });
}

test('colours pass where they are wanted, and end with the line', (t) => {
  t.is(harmless('\x1b[31mred', true), '\x1b[31mred\x1b[0m');
  t.is(harmless('\x1b[31mred', false), 'red');
});

test('whatever a line holds, nothing but colours is left', (t) => {
  const piece = fc.constantFrom(
    '\x1b',
    '[',
    ']',
    '?',
    '31',
    ';',
    'm',
    'J',
    'P',
    '\\',
    '\x07',
    '\x9b',
    '\r',
    'x',
    '\u202e',
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const shown = harmless(pieces.join(''), true).replaceAll(/\x1b\[[\d;:]*m/g, '');
      return !/[\x00-\x1f\x7f-\x9f\u202e]/.test(shown);
    }),
  );
  t.pass();
});

const widths: readonly (readonly [text: string, width: number])[] = [
  ['abc', 3],
  ['漢字', 4],
  ['é', 1],
  ['e\u0301', 1],
  ['👍', 2],
  ['👩‍💻', 2],
  ['✓', 1],
  ['│', 1],
  ['\x1b[31mred\x1b[0m', 3],
  ['', 0],
];

for (const [text, width] of widths) {
  test(`${JSON.stringify(text)} takes ${width} columns`, (t) => {
    t.is(widthOf(text), width);
  });
}

test('text that does not fit ends with an ellipsis, never inside a wide character', (t) => {
  t.is(fit('abcdef', 6), 'abcdef');
  t.is(fit('abcdefg', 6), 'abcde…');
  t.is(fit('漢字漢字', 6), '漢字…');
  t.is(fit('\x1b[31mabcdefg\x1b[0m', 4), '\x1b[31mabc…\x1b[0m');
});

test('a name that does not fit keeps its start and its end', (t) => {
  t.is(fitName('unit', 4), 'unit');
  t.is(fitName('integration:postgres-16', 13), 'integr…res-16');
  t.is(fitName('integration:postgres-17', 13), 'integr…res-17');
  t.is(fitName('漢字漢字', 6), '漢…字');
});

test('padding counts columns', (t) => {
  t.is(padTo('漢', 4), '漢  ');
  t.is(padTo('abcde', 4), 'abcde');
});
