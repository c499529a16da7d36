import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
const figures = { requests: 500, answers: 500, errors: 0, seconds: 10, p99Ms: 20 };
const faults = (...args: Parameters<typeof judgeLoad>) => judgeLoad(...args).map(({ failure }) => failure);

test('R003-4, E12: each limit of a load check is a test, red with the figure that broke it', (t) => {
  t.deepEqual(faults(check, figures), [undefined, undefined]);
  t.deepEqual(faults(check, { ...figures, p99Ms: 101 }), [
    'p99 of /tasks is 101 ms, the limit is 100 ms (500 requests in 10.0 s)',
    undefined,
  ]);
  t.deepEqual(faults(check, { ...figures, errors: 5 }), [undefined, undefined]);
  t.deepEqual(faults(check, { ...figures, errors: 6 }), [
    undefined,
    '1.20 % of the requests to /tasks failed, the limit is 1 % (500 requests in 10.0 s)',
  ]);
  const lenient = { ...check, errorPercent: 100 };
  t.deepEqual(faults(lenient, { ...figures, answers: 0, errors: 500, p99Ms: 0 }), ['/tasks gave no answer in 10.0 s']);
  const watched = { ...check, memory };
  t.deepEqual(faults(watched, { ...figures, bytesPerRequest: 1_024 }), [undefined, undefined, undefined]);
  t.is(
    faults(watched, { ...figures, bytesPerRequest: 5_000.4 })[2],
    'memory grows by 5000 bytes with each request, the limit is 1024',
  );
  t.regex(faults(watched, { ...figures, bytesPerRequest: undefined })[2] ?? '', /does not say process_resident_memory/);
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

test('memory that grows under load is red, and the figures are kept', async (t) => {
  let bytes = 50_000_000;
  const app = createServer((_, answer) => answer.end(`process_resident_memory_bytes ${(bytes += 100_000)}\n`));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  t.teardown(() => app.close());
  const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
  const measured = { requests: { total: 100 }, latency: { p99: 5 }, duration: 3, errors: 0, non2xx: 0 };
  const { place, said } = repository(t, { autocannon: `sleep 3; echo '${JSON.stringify(measured)}'` });
  const leaking = { ...check, url, durationMs: 1_000, memory: { url: `${url}/metrics`, bytesPerRequest: 1_024 } };
  t.false(await checkLoad(leaking, place));
  t.regex(said.join('\n'), /memory grows by \d+ bytes with each request, the limit is 1024/);
  t.regex(readFileSync(join(place.folder, 'reports/load.xml'), 'utf8'), /tests="3" failures="1"/);
  const kept = JSON.parse(readFileSync(join(place.folder, 'reports/load.json'), 'utf8')) as { bytesPerRequest: number };
  t.true(kept.bytesPerRequest > 1_024);
});

test('requests are sent file by file, and one that is red makes all red', async (t) => {
  const { place, said } = repository(t, {
    newman: `case "$*" in *"--env-var baseUrl=http://app.test"*"--reporter-junit-export reports/"*) ;; *) exit 9 ;; esac
      while [ "$1" != --reporter-junit-export ]; do shift; done; echo "<testcase/>" > "$2"`,
    httpyac: 'echo "<testsuites/>"; exit 20',
  });
  writeFileSync(join(place.folder, 'a.postman.json'), '{}');
  writeFileSync(join(place.folder, 'b.http'), '');
  const request = { postman: '*.postman.json', http: '', url: 'http://app.test', reports: 'reports' };
  t.true(await checkRequests(request, place));
  t.false(await checkRequests({ ...request, http: '*.http' }, place));
  t.deepEqual(said.slice(-2), ['a.postman.json: as it should be', 'b.http: red (exit code 20)']);
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
