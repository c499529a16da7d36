import test from 'ava';
import { junitXml } from './junit-xml.ts';
import { readTap } from './read-tap.ts';
import type { TapResult } from './read-tap.ts';

const tap = `TAP version 13
ok 1 - store › sql › keeps what it is told
#   a line of a log
not ok 2 - store › sql › forgets
  ---
    name: AssertionError
    values:
      'Difference:': 'ok 9 - <not a result>'
  ...
ok 3 - store › waits # SKIP
not ok 4 - store › comes later # TODO
not ok 5 - store.test.ts exited with a non-zero exit code: 1

1..5
# tests 5
# fail 3
`;

async function* lines(text: string): AsyncGenerator<string> {
  for (const line of text.split('\n')) yield await Promise.resolve(line);
}

const results = (): Promise<TapResult[]> => Array.fromAsync(readTap(lines(tap)));

test('each result has its suite, title, outcome and details', async (t) => {
  t.deepEqual(await results(), [
    { suite: 'store/sql', title: 'keeps what it is told', outcome: 'passed', details: '' },
    {
      suite: 'store/sql',
      title: 'forgets',
      outcome: 'failed',
      details: "---\n  name: AssertionError\n  values:\n    'Difference:': 'ok 9 - <not a result>'\n...\n",
    },
    { suite: 'store', title: 'waits', outcome: 'skipped', details: '' },
    { suite: 'store', title: 'comes later', outcome: 'skipped', details: '' },
    { suite: '', title: 'store.test.ts exited with a non-zero exit code: 1', outcome: 'failed', details: '' },
  ]);
});

test('no lines are no results', async (t) => {
  t.deepEqual(await Array.fromAsync(readTap(lines(''))), []);
});

test('the JUnit report counts what it holds, and escapes it', async (t) => {
  const xml = junitXml(await results());
  t.regex(xml, /<testsuites tests="5" failures="2" skipped="2">/);
  t.regex(xml, /<testsuite name="store" tests="2" failures="0" skipped="2">/);
  t.regex(xml, /<testcase classname="store" name="waits"><skipped\/><\/testcase>/);
  t.regex(xml, /ok 9 - &#60;not a result&#62;/);
});

test('what XML cannot hold is replaced', (t) => {
  const title = `\u0000\u001b[31m"a" & b\ud800\uffff\u{1f600}`;
  const xml = junitXml([{ suite: 'f', title, outcome: 'passed', details: '' }]);
  t.true(xml.includes(`name="\ufffd\ufffd[31m&#34;a&#34; &#38; b\ufffd\ufffd\u{1f600}"`));
});
