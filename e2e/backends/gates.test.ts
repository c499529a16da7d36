import { readFileSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { backendTest, inPods, stepOf, TestBackend, verdicts } from './test-backend.ts';
import { objectsMade, tableOf } from './made-objects.ts';
import { manifestDigest } from './registry.ts';

const { UPDATE_GOLDEN } = process.env;
const gates = ['validate', 'migrate', 'deploy-test', 'run-tests', 'promote'];

/** What `docs/backends.md` says of the objects that Sluice makes is what the API server saw (R000-23). */
function documented(t: ExecutionContext, table: string): void {
  const page = new URL('../../docs/backends.md', import.meta.url);
  const text = readFileSync(page, 'utf8');
  const found = /(?<=<!-- made objects -->\n).*?(?=\n<!-- end -->)/s;
  if (UPDATE_GOLDEN === '1') writeFileSync(page, text.replace(found, table));
  t.is(found.exec(readFileSync(page, 'utf8'))?.[0], table);
}

const namesOf = async (backend: TestBackend, kind: string): Promise<readonly string[]> =>
  (await backend.objects<{ readonly metadata: { readonly name: string } }>(kind)).map(({ metadata }) => metadata.name);

backendTest(
  'E1, R000-1 to R000-17: a commit goes through its gates, and production serves exactly the digest that was tested',
  async (t) => {
    const backend = await TestBackend.open(t, 'node');
    const commit = await backend.git('rev-parse', 'HEAD');
    const report = await backend.run();
    t.is(report.outcome, 'succeeded', verdicts(report));
    t.deepEqual(
      gates.map((gate) => stepOf(report, gate).outcome),
      gates.map(() => 'succeeded'),
    );

    // A namespace with four pods (R000-3 to R000-7), and a Service for each way in (R000-11).
    t.deepEqual(await namesOf(backend, 'statefulsets'), ['db', 'test-db']);
    t.deepEqual(await namesOf(backend, 'deployments'), ['api-r1', 'test-api-r1']);
    t.deepEqual(await namesOf(backend, 'services'), ['api', 'api-r1', 'db', 'test-api', 'test-api-r1', 'test-db']);

    // One digest in the record, in the registry, in testing and in production.
    const release = await backend.release('r1');
    t.like(release, { run: report.runId, commit, branch: 'main' });
    const image = release?.services[0]?.image ?? '';
    t.regex(image, /@sha256:[0-9a-f]{64}$/);
    t.deepEqual(await backend.images(), { 'api-r1': image, 'test-api-r1': image });
    t.is(await manifestDigest(image), image.slice(image.indexOf('@') + 1));
    t.is(stepOf(report, 'deploy-test').outputs['release'], 'r1');
    t.like(await backend.evidence('r1'), { run: report.runId, commit });
    t.like(await backend.production(), { live: 'r1', held: [], promotion: { state: 'promoted', release: 'r1' } });

    // Through the gateway. The tests wrote to the testing database, and nothing of it is in production.
    t.like(await backend.ask('/tasks'), { status: 200, release: 'r1', body: '[]' });
    const tested = await backend.ask('/tasks', { testing: true });
    t.like(tested, { status: 200, release: 'r1' });
    t.regex(tested.body, /"title":"write"/);
    const made = await backend.ask('/tasks', { method: 'POST', body: '{"title":"ship"}' });
    t.is(made.status, 201);
    t.deepEqual(JSON.parse((await backend.ask('/tasks')).body), [{ id: 1, title: 'ship' }]);

    // The second commit moves the schema of both databases and keeps what users wrote (R000-14, E4).
    await backend.commit({
      'schema/002-done.sql': 'ALTER TABLE tasks ADD COLUMN done boolean NOT NULL DEFAULT false;',
    });
    const second = await backend.run();
    t.is(second.outcome, 'succeeded', verdicts(second));
    t.regex(await backend.log(second.runId, 'migrate/apply'), /applied 002-done\.sql/);
    t.regex(await backend.log(second.runId, 'promote/prepare'), /applied 002-done\.sql/);
    t.regex(await backend.log(second.runId, 'run-tests/live'), /r1, which is live, passes its tests on the new schema/);
    t.is((await backend.evidence('r1'))?.schemas.length, 2);
    t.deepEqual(JSON.parse((await backend.ask('/tasks')).body), [{ id: 1, title: 'ship', done: false }]);
    t.like(await backend.production(), { live: 'r2', previous: 'r1' });
    t.deepEqual(await namesOf(backend, 'deployments'), ['api-r1', 'api-r2', 'test-api-r2']);

    // The same commit once more: no migration is left to do.
    const third = await backend.run();
    t.is(third.outcome, 'succeeded', verdicts(third));
    for (const step of ['migrate/apply', 'promote/prepare']) {
      t.notRegex(await backend.log(third.runId, step), /applied/, step);
    }
    // The same files are the same image, whoever builds it when (E16).
    t.is((await backend.release('r3'))?.services[0]?.image, (await backend.release('r2'))?.services[0]?.image);

    const objects = objectsMade(backend);
    if (objects) documented(t, tableOf(objects, backend, [report.runId, second.runId, third.runId]));
  },
);

backendTest('E1: a backend in Python without a database goes the same way', async (t) => {
  const backend = await TestBackend.open(t, 'python');
  const report = await backend.run();
  t.is(report.outcome, 'succeeded', verdicts(report));
  t.deepEqual(await namesOf(backend, 'statefulsets'), []);
  const answer = await backend.ask('/count', { method: 'POST', body: 'four words in here' });
  t.like(answer, { status: 200, release: 'r1', body: '{"words": 4}' });
  const image = (await backend.release('r1'))?.services[0]?.image ?? '';
  t.deepEqual(await backend.images(), { 'test-web-r1': image, 'web-r1': image });
  t.true(image.startsWith(`${inPods('localhost:5000')}/${backend.name}/web@sha256:`));
});

backendTest(
  'E16: the same commit in two folders, checked out and built at other times, is the same image',
  async (t) => {
    const backend = await TestBackend.open(t, 'python');
    const steps = `steps:
  build: { run: "mkdir dist && cp server.py dist/ && date >made-at", outputs: [dist/**] }
  deploy-test: { uses: deploy-test }
`;
    const pipeline = backend.read('sluice.yaml').replace(/^steps:.*/ms, steps);
    await backend.commit({ 'sluice.yaml': pipeline.replace('python3 server.py', 'python3 dist/server.py') });
    const other = await backend.checkOutAgain();
    for (const each of [backend, other]) {
      const report = await each.run();
      t.is(report.outcome, 'succeeded', verdicts(report));
    }
    const [first = '', second] = await Promise.all(
      ['r1', 'r2'].map(async (name) => (await backend.release(name))?.services[0]?.image),
    );
    t.is(second, first);
    t.is(await manifestDigest(first), first.slice(first.indexOf('@') + 1));
  },
);
