import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { openLaptop, verdicts } from './test-laptop.ts';
import type { Report } from './test-laptop.ts';

const scanner = 'bandit[sarif]==1.9.4';
const folder = mkdtempSync(join(tmpdir(), 'sluice-tools-'));
const packages = join(folder, 'python');

/** Real tools from their registries: those of the image `api-tests`, by its lock file, and a scanner. */
test.before(async (t) => {
  t.timeout(180_000);
  const source = fileURLToPath(new URL('../../runtime-images/api-tests', import.meta.url));
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(source, file), join(folder, file));
  const run = promisify(execFile);
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-warn-script-location'];
  await Promise.all([
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder }),
    run('python3', ['-m', 'pip', 'install', ...quiet, '--target', packages, scanner]),
  ]);
});
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const collection = (words: number): string =>
  JSON.stringify({
    info: { name: 'words', schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json' },
    item: [
      {
        name: 'three words',
        request: { method: 'POST', url: '{{baseUrl}}/count', body: { mode: 'raw', raw: 'three small words' } },
        event: [
          {
            listen: 'test',
            script: { exec: [`pm.test('are counted', () => pm.expect(pm.response.json().words).to.equal(${words}));`] },
          },
        ],
      },
    ],
  });
const health = 'GET {{baseUrl}}/healthz\n?? status == 200\n?? header sluice-release exists\n';
/** bandit calls the second of them grave (B602); its import is a low finding (B404), and no reason to go no further. */
const findings = 'import subprocess\nsubprocess.call(os.environ["WORDS"], shell=True)\n';

const pipeline = `pipeline: words
runtime: python-3.11
backend:
  name: words
  services:
    web: { start: python3 server.py, port: 8000, health: /healthz }
steps:
  validate:
    uses: validate
    with: { scan: "PYTHONPATH='${packages}' python3 -m bandit --exit-zero --quiet -f sarif -o scan.sarif server.py" }
  deploy-test: { uses: deploy-test }
  run-tests:
    uses: run-tests
    with: { postman: api/*.json, http: api/*.http, load: /healthz, load_duration: 1s, load_p99: 20s }
  promote: { uses: promote, with: { soak: 1s } }
`;

const stepOf = ({ steps }: Report, id: string) => steps.find((step) => step.id === id);

test('R003-4, R003-17: on a laptop a real scanner, collections, HTTP files and a load let a sound app pass, and refuse it for what they find', async (t) => {
  t.timeout(300_000);
  const laptop = openLaptop(t, { app: 'python', programs: [join(folder, 'node_modules/.bin')] });
  const server = readFileSync(join(laptop.repository, 'server.py'), 'utf8');
  await laptop.git('init', '-q', '-b', 'main');

  const files = { 'sluice.yaml': pipeline, 'api/words.json': collection(3), 'api/health.http': health };
  const unsafe = await laptop.push({
    ...files,
    'server.py': server.replace('import signal\n', `import signal\n${findings}`),
  });
  const found = stepOf(unsafe, 'validate/findings');
  t.is(found?.outcome, 'failed', verdicts(unsafe));
  t.regex(found?.message ?? '', /B602 server\.py 6/);
  const judged = await laptop.sluice('logs', 'latest', 'validate/findings');
  t.regex(judged, /Bandit ended, with 2 findings/);
  t.regex(judged, /B602 server\.py 6: high: subprocess call with shell=True/);
  t.is(stepOf(unsafe, 'deploy-test/deploy')?.outcome, 'skipped');

  const sound = await laptop.push({ 'server.py': server });
  t.is(sound.outcome, 'succeeded', verdicts(sound));
  const said = await laptop.sluice('logs', 'latest');
  for (const told of [
    /Bandit ended, with 0 findings/,
    /api\/words\.json: as it should be/,
    /api\/health\.http: as it should be/,
    /errors of \/healthz: holds/,
  ])
    t.regex(said, told);
  t.is(await laptop.ask('production', '/healthz'), 'r1 {"healthy": true}');

  const wrong = await laptop.push({ 'api/words.json': collection(4) });
  t.is(stepOf(wrong, 'run-tests/requests')?.outcome, 'failed', verdicts(wrong));
  t.regex(stepOf(wrong, 'run-tests/requests')?.message ?? '', /are counted/);

  const untested = await laptop.push({
    'api/words.json': collection(3),
    'api/health.http': 'GET {{baseUrl}}/nowhere\n',
  });
  t.is(stepOf(untested, 'run-tests/requests')?.outcome, 'failed', verdicts(untested));
  t.regex(await laptop.sluice('logs', 'latest'), /api\/health\.http: red: no assertion was made/);

  const loaded = await laptop.push({
    'api/health.http': health,
    'sluice.yaml': pipeline.replace('load: /healthz', 'load: /nowhere'),
  });
  t.like(stepOf(loaded, 'run-tests/load'), { outcome: 'failed' }, verdicts(loaded));
  t.regex(await laptop.sluice('logs', 'latest'), /100\.00 % of the requests to \/nowhere failed/);
  t.is(await laptop.ask('production', '/healthz'), 'r1 {"healthy": true}', 'what failed never came to production');
});
