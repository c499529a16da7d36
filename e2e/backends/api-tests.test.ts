import { backendTest, stepOf, TestBackend, verdicts } from './test-backend.ts';
import type { Changes } from './test-backend.ts';

const collection = (status: number): string =>
  JSON.stringify({
    info: { name: 'tasks', schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json' },
    item: [
      {
        name: 'a task without a title',
        request: { method: 'POST', url: '{{baseUrl}}/tasks', body: { mode: 'raw', raw: '{}' } },
        event: [
          {
            listen: 'test',
            script: { exec: [`pm.test('is refused', () => pm.response.to.have.status(${status}));`] },
          },
        ],
      },
    ],
  });

const httpFile = `GET {{baseUrl}}/tasks
?? status == 200
?? header sluice-release exists
`;

const metrics = `'GET /metrics': async () => [200, undefined],
  'GET /healthz'`;
const telling = `response.end(request.url === '/metrics'
        ? 'process_resident_memory_bytes ' + (50_000_000 + leaked) + '\\n'
        : JSON.stringify(body));`;

/** The app tells its memory, which grows by so many bytes with each request for tasks. */
function changesOf(
  backend: TestBackend,
  { status, leak }: { readonly status: number; readonly leak: number },
): Changes {
  const server = backend
    .read('server.js')
    .replace("'GET /healthz'", metrics)
    .replace("'GET /tasks': async () => {", `'GET /tasks': async () => {\n    leaked += ${leak};`)
    .replace('const server =', 'let leaked = 0;\nconst server =')
    .replace(
      /response\.writeHead\((.*)\)\.end\(JSON\.stringify\(body\)\);/,
      `response.writeHead($1);\n      ${telling}`,
    );
  return { 'server.js': server, 'api/tasks.postman.json': collection(status), 'api/tasks.http': httpFile };
}

const given =
  'http: api/*.http, min_tests: "1", load: /tasks, load_duration: 6s, load_p99: 20s, load_metrics: /metrics }';

backendTest(
  'E2b, E12, R003-4: collections, HTTP files and a load let a sound app pass, and refuse a wrong answer and a leak with the reason',
  async (t) => {
    const backend = await TestBackend.open(t, 'node');
    const original = backend.read('server.js');
    const tests = /with:\n +run: node --test(.|\n)*junit: report.xml\n/;
    const pipeline = backend.pipeline().replace(tests, `with: { postman: api/*.postman.json, ${given}\n`);
    t.true(pipeline.includes('load_metrics'));

    await backend.commit({ 'sluice.yaml': pipeline, ...changesOf(backend, { status: 400, leak: 0 }) });
    const sound = await backend.run();
    t.is(sound.outcome, 'succeeded', verdicts(sound));
    t.is(stepOf(sound, 'run-tests/test').outcome, 'skipped');
    t.regex(await backend.log(sound.runId, 'run-tests/requests'), /api\/tasks\.http: as it should be/);
    t.regex(await backend.log(sound.runId, 'run-tests/load'), /memory under \/tasks: holds/);
    t.like(await backend.production(), { live: 'r1' });

    await backend.commit({ 'server.js': original });
    await backend.commit(changesOf(backend, { status: 201, leak: 0 }));
    const wrong = stepOf(await backend.run(), 'run-tests/requests');
    t.like(wrong, { outcome: 'failed', reason: 'tests_failed' });
    t.regex(wrong.message ?? '', /is refused/);

    await backend.commit({ 'server.js': original });
    await backend.commit(changesOf(backend, { status: 400, leak: 40_000 }));
    const leaking = await backend.run();
    t.like(stepOf(leaking, 'run-tests/load'), { outcome: 'failed', reason: 'tests_failed' });
    t.regex(
      await backend.log(leaking.runId, 'run-tests/load'),
      /memory grows by \d+ bytes with each request, the limit is 1024/,
    );
    t.is(stepOf(leaking, 'run-tests/record').outcome, 'skipped');
    t.like(await backend.production(), { live: 'r1' }, 'what failed never reached production');
  },
);
