import { backendTest, inPods, stepOf, TestBackend, verdicts } from './test-backend.ts';
import { manifestDigest } from './registry.ts';

const gates = ['validate', 'migrate', 'deploy-test', 'run-tests', 'promote'];

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
