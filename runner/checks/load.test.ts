import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../model/errors.ts';
import { checkLoad, judgeLoad } from './load.ts';
import type { LoadCheck } from './load.ts';
import { checkRequests } from './requests.ts';
import { tools } from './run-tool.ts';

const check: LoadCheck = {
  url: 'http://shop.test/tasks',
  durationMs: 2_000,
  connections: 2,
  rate: 50,
  p99Ms: 100,
  errorPercent: 1,
  reports: 'reports',
};
const memory = { url: 'http://shop.test/metrics', bytesPerRequest: 1_024 };
const figures = { requests: 500, answers: 500, errors: 0, seconds: 10, p99Ms: 20, answersAfter: true };
const faults = (...args: Parameters<typeof judgeLoad>) => judgeLoad(...args).map(({ failure }) => failure);

test('R003-4, E12: each limit of a load check is a test, red with the figure that broke it', (t) => {
  t.deepEqual(faults(check, figures), [undefined, undefined, undefined]);
  t.deepEqual(faults(check, { ...figures, p99Ms: 101 }), [
    'p99 of /tasks is 101 ms, the limit is 100 ms (500 requests in 10.0 s)',
    undefined,
    undefined,
  ]);
  t.deepEqual(faults(check, { ...figures, errors: 5 }), [undefined, undefined, undefined]);
  t.is(
    faults(check, { ...figures, errors: 6 })[1],
    '1.20 % of the requests to /tasks failed, the limit is 1 % (500 requests in 10.0 s)',
  );
  t.is(
    faults(check, { ...figures, answersAfter: false })[2],
    '/tasks gave no answer within 1 s when the load was over (500 requests in 10.0 s)',
  );
  const lenient = { ...check, errorPercent: 100 };
  t.deepEqual(faults(lenient, { ...figures, answers: 0, errors: 500, p99Ms: 0 }), ['/tasks gave no answer in 10.0 s']);
  const watched = { ...check, memory };
  t.is(faults(watched, { ...figures, bytesPerRequest: 1_024 })[3], undefined);
  t.is(
    faults(watched, { ...figures, bytesPerRequest: 5_000.4 })[3],
    'memory grows by 5000 bytes with each request, the limit is 1024',
  );
  t.regex(faults(watched, { ...figures, bytesPerRequest: undefined })[3] ?? '', /does not say process_resident_memory/);
});

/** A repository that brings its own tools: here scripts that stand in for those of others. */
function repository(t: ExecutionContext, programs: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-checks-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, 'node_modules/.bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const said: string[] = [];
  return { said, place: { folder, say: (line: string) => said.push(line), signal: new AbortController().signal } };
}

/** An app that answers with what it is given; undefined for no answer at all. */
async function appOf(t: ExecutionContext, answer: () => string | undefined): Promise<string> {
  const app = createServer((_, response) => {
    const text = answer();
    if (text !== undefined) response.end(text);
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  t.teardown(() => app.close());
  t.teardown(() => app.closeAllConnections());
  return `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
}

const measured = { requests: { total: 100 }, latency: { p99: 5 }, duration: 3, errors: 0, non2xx: 0 };

test('an app that hangs under load is red, however quick its few answers were', async (t) => {
  const url = await appOf(t, () => undefined);
  const script = `case "$*" in *"--timeout 1 "*) echo '${JSON.stringify(measured)}' ;; esac`;
  const { place, said } = repository(t, { autocannon: script });
  t.false(await checkLoad({ ...check, url: `${url}/tasks` }, place));
  t.regex(said.join('\n'), /^latency of \/tasks: holds\n.*\n\/tasks gave no answer within 1 s when the load was over/);
});

for (const [title, says] of Object.entries({
  'figures that are cut off': JSON.stringify(measured).slice(0, 40),
  'a document without figures': '{"requests":{},"latency":{},"duration":3,"errors":0,"non2xx":0}',
  nothing: '',
  'figures before it crashed': `${JSON.stringify(measured)}'; exit 3; echo '`,
}))
  test(`a load tool that says ${title} proves nothing`, async (t) => {
    const url = await appOf(t, () => 'fine');
    const { place } = repository(t, { autocannon: `echo '${says}'` });
    const error = await t.throwsAsync(checkLoad({ ...check, url }, place), {
      code: 'ERR_SERVICE',
      message: /^autocannon says nothing of use: /,
    });
    t.true(error instanceof SluiceError && error.hint?.includes(tools.autocannon));
  });

test('memory that grows under load is red, and the figures are kept', async (t) => {
  let bytes = 50_000_000;
  const url = await appOf(t, () => `process_resident_memory_bytes ${(bytes += 100_000)}\n`);
  const { place, said } = repository(t, { autocannon: `sleep 3; echo '${JSON.stringify(measured)}'` });
  const leaking = { ...check, url, durationMs: 1_000, memory: { url: `${url}/metrics`, bytesPerRequest: 1_024 } };
  t.false(await checkLoad(leaking, place));
  t.regex(said.join('\n'), /memory grows by \d+ bytes with each request, the limit is 1024/);
  t.regex(readFileSync(join(place.folder, 'reports/load.xml'), 'utf8'), /tests="4" failures="1"/);
  const kept = JSON.parse(readFileSync(join(place.folder, 'reports/load.json'), 'utf8')) as { bytesPerRequest: number };
  t.true(kept.bytesPerRequest > 1_024);
});

test('requests are sent file by file, and one that is red makes all red', async (t) => {
  const { place, said } = repository(t, {
    newman: `case "$*" in *"--env-var baseUrl=http://app.test"*"--reporter-junit-export reports/"*) ;; *) exit 9 ;; esac
      while [ "$1" != --reporter-junit-export ]; do shift; done; echo "<testsuite><testcase name='a'/></testsuite>" > "$2"`,
    httpyac: 'echo "<testsuites/>"; exit 20',
  });
  writeFileSync(join(place.folder, 'a.postman.json'), '{}');
  writeFileSync(join(place.folder, 'b.http'), '');
  const request = { postman: '*.postman.json', http: '', url: 'http://app.test', reports: 'reports' };
  t.true(await checkRequests(request, place));
  t.false(await checkRequests({ ...request, http: '*.http' }, place));
  t.deepEqual(
    said.filter((line) => !line.endsWith('are sent')),
    ['a.postman.json: as it should be', 'a.postman.json: as it should be', 'b.http: red (exit code 20)'],
  );
  t.is(readFileSync(join(place.folder, 'reports/b.http.xml'), 'utf8'), '<testsuites/>\n');
  await t.throwsAsync(checkRequests({ ...request, postman: 'none/*.json' }, place), {
    code: 'ERR_GATE',
    message: 'no file matches none/*.json',
  });
});

test('a file without an assertion is red, though its tool is content', async (t) => {
  const { place, said } = repository(t, { httpyac: 'echo "<testsuites><![CDATA[ <testcase/> ]]></testsuites>"' });
  writeFileSync(join(place.folder, 'a.http'), 'GET {{baseUrl}}/\n?? status = 200\n');
  t.false(await checkRequests({ postman: '', http: 'a.http', url: 'http://app.test', reports: 'reports' }, place));
  t.regex(said.at(-1) ?? '', /^a\.http: red: no assertion was made/);
});

for (const [title, { says, why }] of Object.entries({
  'is cut off': {
    says: '<testsuites><testsuite><testcase name="a"/>',
    why: /^a\.http: red: its report cannot be read: /,
  },
  'tells of a failure': {
    says: '<testsuite name="GET /"><testcase name="a"><failure message="404"/></testcase></testsuite>',
    why: /^a\.http: red: its report says so, though the tool ended well: a$/,
  },
  'has skipped tests only': {
    says: '<testsuite><testcase name="a"><skipped/></testcase></testsuite>',
    why: /^a\.http: red: no assertion was made/,
  },
  'is empty': { says: '', why: /^a\.http: red: its report cannot be read: / },
}))
  test(`a report that ${title} proves nothing, though its tool is content`, async (t) => {
    const { place, said } = repository(t, { httpyac: `printf '%s' '${says}'` });
    writeFileSync(join(place.folder, 'a.http'), 'GET {{baseUrl}}/\n');
    t.false(await checkRequests({ postman: '', http: 'a.http', url: 'http://app.test', reports: 'reports' }, place));
    t.regex(said.at(-1) ?? '', why);
  });

test('a report that was there before is no proof, and two files never have one report', async (t) => {
  const green = '<testsuite><testcase name="a"/></testsuite>';
  const { place, said } = repository(t, { newman: 'exit 0', httpyac: `echo '${green}'` });
  for (const folder of ['reports', 'api']) mkdirSync(join(place.folder, folder));
  for (const file of ['a.json', 'api/b.http', 'api-b.http']) writeFileSync(join(place.folder, file), '');
  writeFileSync(join(place.folder, 'reports/a.json.xml'), green);
  const request = { postman: 'a.json', http: '', url: 'http://app.test', reports: 'reports' };
  t.false(await checkRequests(request, place));
  t.is(said.at(-1), 'a.json: red (exit code 0): it left no report');
  t.true(await checkRequests({ ...request, postman: '', http: 'api/*.http *.http' }, place));
  t.deepEqual(readdirSync(join(place.folder, 'reports')).toSorted(), ['api-b.http-2.xml', 'api-b.http.xml']);
});

test('what was not as it should be is told for an HTTP file, whose tool tells it nobody but the report', async (t) => {
  const red =
    '<testsuite name="GET /x"><testcase name="status == 200"><failure message="was 404"/></testcase></testsuite>';
  const { place, said } = repository(t, { httpyac: `echo '${red}'; exit 20` });
  writeFileSync(join(place.folder, 'a.http'), '');
  t.false(await checkRequests({ postman: '', http: 'a.http', url: 'http://app.test', reports: 'reports' }, place));
  t.deepEqual(said, ['a.http: its requests are sent', 'GET /x: status == 200: was 404', 'a.http: red (exit code 20)']);
});

test('a tool that is not there is told with the command that installs it; nothing is downloaded', async (t) => {
  const { place } = repository(t, {});
  writeFileSync(join(place.folder, 'a.json'), '{}');
  const error = await t.throwsAsync(
    checkRequests({ postman: 'a.json', http: '', url: 'http://app.test', reports: 'reports' }, place),
    { code: 'ERR_SERVICE', message: 'the program "newman" is not on this machine' },
  );
  t.true(error instanceof SluiceError && error.hint?.includes(`npm install --global newman@${tools.newman}`));
});

test('the image has the versions that people are told to install', (t) => {
  const file = new URL('../../runtime-images/api-tests/package.json', import.meta.url);
  const { dependencies } = JSON.parse(readFileSync(file, 'utf8')) as { readonly dependencies: object };
  t.deepEqual(dependencies, { ...tools });
});
