import test from 'ava';
import type { TestCase } from '../../model/result.ts';
import type { JUnitReport } from './junit-report.ts';
import { parseJUnit } from './read-junit.ts';
import { summarise } from './summarise.ts';

async function* chunks(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  const size = bytes.length > 100_000 ? 65_536 : 16;
  for (let start = 0; start < bytes.length; start += size)
    yield await Promise.resolve(bytes.subarray(start, start + size));
}

async function read(content: string | Uint8Array): Promise<JUnitReport & { readonly cases: readonly TestCase[] }> {
  const cases: TestCase[] = [];
  const report = await parseJUnit(chunks(content), 'r.xml', (batch) => void cases.push(...batch));
  return { ...report, cases };
}

async function onlyCase(inner: string, attributes = 'name="x"'): Promise<TestCase | undefined> {
  const { cases } = await read(`<testsuite><testcase ${attributes}>${inner}</testcase></testsuite>`);
  return cases[0];
}

test('cases know the suites around them, at any depth', async (t) => {
  const { cases, totals } = await read(
    `<testsuites name="all"><testsuite name="api"><testsuite><testsuite name="login">
       <testcase name="a" classname="C" time="1.5"/></testsuite></testsuite><testcase name="b"/></testsuite></testsuites>`,
  );
  t.is(totals.tests, 2);
  t.like(cases[0], {
    suites: ['all', 'api', 'login'],
    className: 'C',
    name: 'a',
    outcome: 'passed',
    durationMs: 1_500,
  });
  t.deepEqual(cases[1]?.suites, ['all', 'api']);
});

test('the worst result of a case counts, and only once', async (t) => {
  const cases = '<failure message="first"/><error message="worse">trace</error><skipped/><failure/>';
  const report = await read(`<testsuite><testcase name="x">${cases}</testcase></testsuite>`);
  t.deepEqual(report.totals, { tests: 1, failures: 0, errors: 1, skipped: 0, flaky: 0 });
  t.like(report.cases[0], { outcome: 'errored', message: 'worse' });
});

for (const name of ['flakyFailure', 'flakyError', 'rerunFailure', 'rerunError', 'rerun']) {
  test(`a case with <${name}> and no failure passed at last and is flaky`, async (t) => {
    t.like(await onlyCase(`<${name} message="m"><stackTrace>at</stackTrace></${name}>`), {
      outcome: 'passed',
      flaky: true,
      message: 'm',
      details: 'at',
    });
    t.like(await onlyCase(`<failure/><${name}/>`), { outcome: 'failed', flaky: false });
  });
}

test('cases that did not run are skipped, whether an element or a status says so', async (t) => {
  for (const inner of ['<skipped/>', '<skipped>why</skipped>', '<disabled/>']) {
    t.like(await onlyCase(inner), { outcome: 'skipped' }, inner);
  }
  for (const status of ['disabled', 'notrun', 'skipped']) {
    t.like(await onlyCase('', `name="x" status="${status}"`), { outcome: 'skipped' }, status);
  }
});

test('output and attachments are kept, results inside results are not counted', async (t) => {
  const inner = `<failure message="m">a<![CDATA[<b>]]>c<system-out>in</system-out></failure>
    <system-out>out [[ATTACHMENT|shots/1.png]]</system-out><system-err>err [[ATTACHMENT|a b.txt]]</system-err>
    <properties><property name="p"><failure/></property></properties>`;
  t.like(await onlyCase(inner), {
    outcome: 'failed',
    details: 'a<b>c',
    systemOut: 'inout [[ATTACHMENT|shots/1.png]]',
    systemErr: 'err [[ATTACHMENT|a b.txt]]',
    attachments: ['shots/1.png', 'a b.txt'],
  });
});

test('a failure without a message is named by the first line of its text', async (t) => {
  t.like(await onlyCase('<failure>\n  expected 1  \n at x</failure>'), { message: 'expected 1' });
});

test('what says red beside the cases is reported, and does not change the counts', async (t) => {
  const green = '<testcase name="x"/>';
  const claims = await read(
    `<testsuites><testsuite name="a"><testsuite name="b" failures="2" errors="1">${green}</testsuite></testsuite></testsuites>`,
  );
  t.deepEqual(claims.redElsewhere, ['testsuite b says failures=2 errors=1']);
  t.is(claims.totals.failures, 0);
  const beside = await read(`<testsuite name="a"><error message="setup"/>${green}</testsuite>`);
  t.deepEqual(beside.redElsewhere, ['testsuite a holds an error outside of its cases']);
  const status = await read('<testsuite><testcase name="x" status="failed"/></testsuite>');
  t.deepEqual(status.redElsewhere, ['testcase x has the status failed']);
  t.deepEqual((await read(`<testsuite name="a" failures="0">${green}</testsuite>`)).redElsewhere, []);
});

test('names that JavaScript knows are names like others', async (t) => {
  const { cases, totals } = await read(
    '<testsuite name="constructor" __proto__="x"><testcase name="__proto__" classname="toString"/></testsuite>',
  );
  t.is(totals.tests, 1);
  t.like(cases[0], { name: '__proto__', className: 'toString', suites: ['constructor'] });
});

test('a batch is handed over before more is read', async (t) => {
  const steps: string[] = [];
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`<testsuite>${' '.repeat(2_000)}<testcase name="a"/>`);
    steps.push('more is read');
    yield await Promise.resolve(Buffer.from('<testcase name="b"/></testsuite>'));
  }
  await parseJUnit(source(), 'r.xml', async (batch) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    steps.push(...batch.map(({ name }) => name));
  });
  t.deepEqual(steps, ['a', 'more is read', 'b']);
});

const latin = (declared: string): Buffer =>
  Buffer.from(`<?xml version="1.0" encoding="${declared}"?><testsuite><testcase name="é"/></testsuite>`, 'latin1');
const utf16 = Buffer.from(
  '\ufeff<?xml version="1.0" encoding="UTF-16"?><testsuite><testcase name="é€"/></testsuite>',
  'utf16le',
);

test('text is read in the encoding of its mark, its shape or its declaration', async (t) => {
  const plain = '<testsuite><testcase name="é"/></testsuite>';
  const names: readonly (readonly [string, Buffer, string])[] = [
    ['UTF-8', Buffer.from(plain), 'é'],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${plain}`), 'é'],
    ['UTF-8 that calls itself UTF-16', Buffer.from(`<?xml version="1.0" encoding="utf-16"?>${plain}`), 'é'],
    ['latin-1', latin('ISO-8859-1'), 'é'],
    ['UTF-16 little-endian', utf16, 'é€'],
    ['UTF-16 big-endian', Buffer.from(utf16).swap16(), 'é€'],
    ['UTF-16 without a mark', utf16.subarray(2), 'é€'],
  ];
  for (const [encoding, content, name] of names) t.is((await read(content)).cases[0]?.name, name, encoding);
});

const refused: Readonly<Record<string, string | Buffer>> = {
  'an empty file': '',
  'white space': ' \n ',
  'a mark alone': '\ufeff',
  'plain text': 'Tests passed',
  JSON: '{"tests":1}',
  'binary garbage': Buffer.from([0x1f, 0x8b, 8, 0, 0, 0xff, 0xfe, 0x80, 1]),
  'latin-1 bytes that nothing declares': Buffer.from('<testsuite name="é"/>', 'latin1'),
  'an unknown encoding': latin('klingon'),
  'UTF-32': Buffer.from([0xff, 0xfe, 0, 0, 0x3c, 0, 0, 0]),
  'a file cut inside a tag': '<testsuite><testcase name="a"/><testca',
  'a file cut between tags': '<testsuite><testcase name="a"/>',
  'a file cut inside a character': Buffer.from('<testsuite name="é').subarray(0, -1),
  'two roots': '<testsuite/><testsuite/>',
  'text behind the root': '<testsuite/>done',
  'an illegal character': '<testsuite name="\u0001"/>',
  'an illegal reference': '<testsuite name="&#x1B;"/>',
  'an unknown entity': '<testsuite name="&nbsp;"/>',
  'an entity named like a method': '<testsuite name="&constructor;&toString;"/>',
  'a document type': '<!DOCTYPE testsuite><testsuite/>',
  'a document type with entities': '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite>&x;</testsuite>',
  'the same attribute twice': '<testsuite name="a" name="b"/>',
  'a wrong end tag': '<testsuite><testcase></testsuite></testcase>',
  'an end of CDATA in text': '<testsuite>]]></testsuite>',
  'ten thousand and one elements inside each other': '<testsuite>'.repeat(10_001),
  'more attributes than any suite has': `<testsuite ${Array.from({ length: 1_001 }, (_, n) => `a${n}=""`).join(' ')}/>`,
};

for (const [title, content] of Object.entries(refused)) {
  test(`${title}: unreadable, with the reason`, async (t) => {
    const report = await read(content);
    t.is(report.verdict, 'reject');
    t.truthy(report.fault);
    t.is(summarise([report]).unreadable.length, 1);
  });
}

test('a fault names its line and column', async (t) => {
  t.is((await read('<testsuite>\n  <testcase></wrong>')).fault, 'line 2, column 20: unexpected close tag.');
});

test('other XML is no report, even with test cases inside', async (t) => {
  const report = await read('<testrun><testsuite failures="1"><testcase name="a"/></testsuite></testrun>');
  t.like(report, { verdict: 'not-junit', fault: 'the root element is <testrun>', totals: { tests: 0 } });
  t.deepEqual(report.cases, []);
  t.is((await read('<html><body></html>')).verdict, 'reject');
});

test('suites a thousand deep are read', async (t) => {
  const { totals } = await read(`${'<testsuite name="s">'.repeat(1_000)}<testcase/>${'</testsuite>'.repeat(1_000)}`);
  t.is(totals.tests, 1);
});

test('an error of the source is thrown, it says nothing about the report', async (t) => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from('<testsuite>'));
    throw new Error('disk gone');
  }
  await t.throwsAsync(parseJUnit(broken(), 'r.xml'), { message: 'disk gone' });
});

test('long texts are cut, and long attributes do not stop the reading', async (t) => {
  const long = 'x'.repeat(3_000_000);
  const { cases, verdict } = await read(`<testsuite name="${long}"><testcase name="a"><system-out>${long}</system-out>
    <system-err><![CDATA[${long}]]></system-err></testcase><testcase name="b"><failure message="${long}"/></testcase></testsuite>`);
  t.is(verdict, 'parse');
  t.is(cases[0]?.systemOut, 'x'.repeat(1_048_576));
  t.is(cases[0]?.systemErr, 'x'.repeat(1_048_576));
  t.true((cases[1]?.message.length ?? 0) <= 4_097);
});

test('20 MB of cases are handed over in small batches', async (t) => {
  const block = Buffer.from('<testcase name="a" time="0.1"><system-out>output</system-out></testcase>'.repeat(1_000));
  let most = 0;
  const { totals } = await parseJUnit(repeated('<testsuite>', block, 20e6, '</testsuite>'), 'r.xml', (batch) => {
    most = Math.max(most, batch.length);
  });
  t.is(totals.tests, Math.ceil(20e6 / block.length) * 1_000);
  t.true(most < 2_000, `a batch of ${most} cases`);
});

for (const [start, end] of [
  ['<testsuite><testcase><system-out><![CDATA[', ']]></system-out></testcase></testsuite>'],
  ['<testsuite><testcase><system-out>', '</system-out></testcase></testsuite>'],
  ['<testsuite name="', '"><testcase/></testsuite>'],
] as const) {
  test.serial(`100 MB of text behind ${start} are not held in memory`, async (t) => {
    const block = Buffer.alloc(1_000_000, 'some output ');
    const before = process.memoryUsage().heapUsed;
    let peak = 0;
    const watch = (): void => void (peak = Math.max(peak, process.memoryUsage().heapUsed - before));
    const { totals } = await parseJUnit(repeated(start, block, 100e6, end, watch), 'r.xml');
    t.is(totals.tests, 1);
    t.true(peak < 60e6, `${peak} bytes of heap`);
  });
}

async function* repeated(
  start: string,
  block: Buffer,
  bytes: number,
  end: string,
  watch?: () => void,
): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(start));
  for (let sent = 0; sent < bytes; sent += block.length) {
    watch?.();
    yield block;
  }
  yield Buffer.from(end);
}
