import test from 'ava';
import { serveGitea, untilStatus } from '../server/serve-gitea.ts';
import { Place } from '../server/served.ts';
import { manifestDigest } from './registry.ts';
import { backendTest, stepOf, TestBackend, verdicts } from './test-backend.ts';
import type { Report } from './test-backend.ts';

const { CI, E2E_GITEA } = process.env;
/** Needs a Gitea as well. */
const pushTest: typeof backendTest = (title, implementation) => {
  if (E2E_GITEA === undefined && CI !== 'true') test.skip(title, implementation);
  else backendTest(title, implementation);
};

/** What each gate hands on, beside its outcome. */
const gates: Readonly<Record<string, readonly string[]>> = {
  validate: [],
  migrate: ['change', 'locks', 'schema'],
  'deploy-test': ['release', 'url'],
  'run-tests': ['untouched'],
  promote: ['backup', 'release'],
};

interface PodObject {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly status: { readonly containerStatuses: readonly { readonly imageID: string; readonly ready: boolean }[] };
}

interface WholeReport extends Report {
  readonly request: { readonly trigger: object };
  readonly tests?: object;
}

/** The digests that the pods of an environment run, by the word of the kubelet. */
async function running(backend: TestBackend, environment: string): Promise<readonly string[]> {
  const selector = `sluice.dev/environment=${environment},sluice.dev/role=app`;
  const pods = await backend.objects<PodObject>('pods', '-l', selector);
  return pods.flatMap(({ status }) => status.containerStatuses.map(({ imageID }) => digestOf(imageID)));
}

const digestOf = (image: string): string => image.slice(image.indexOf('@') + 1);

/** What a client of the API finds behind the link of a commit status. */
async function reportAt(place: Place, url: string): Promise<WholeReport> {
  const { secret } = (await place.sluice('token', 'create', '--role', 'viewer', '--name', 'ada')) as {
    readonly secret: string;
  };
  const answer = await fetch(url, { headers: { authorization: `Bearer ${secret}` } });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return (await answer.json()) as WholeReport;
}

pushTest(
  'E1, R000-9, R001-1 to R001-7: git push to a Gitea ends in production with the digest that was tested, in JSON that has it all and in a commit status',
  async (t) => {
    const backend = await TestBackend.open(t, 'node');
    const place = await Place.open(t, backend.env);
    const served = await serveGitea(place, 'tasks');
    const push = async (): Promise<string> => {
      await backend.git('push', '--quiet', served.gitea.address(served.repository), 'main');
      return backend.git('rev-parse', 'HEAD');
    };

    const commit = await push();
    const status = await untilStatus(served, commit, ['success', 'failure', 'error']);
    t.like(status, { context: 'sluice/tasks', status: 'success', description: 'The run succeeded.' });
    const report = await reportAt(place, status.target_url);
    t.is(report.outcome, 'succeeded', verdicts(report));
    t.like(report.request.trigger, { event: 'push', branch: 'main', commit, actor: served.gitea.name });
    t.like(report.tests, { tests: 2, failures: 0, errors: 0 });
    for (const [gate, outputs] of Object.entries(gates)) {
      const step = stepOf(report, gate);
      t.is(step.outcome, 'succeeded', gate);
      t.deepEqual(Object.keys(step.outputs).toSorted(), outputs, gate);
    }
    for (const { id, attempts } of report.steps) {
      t.true(attempts.length <= 1, `${id} was tried once`);
      for (const attempt of attempts) {
        t.like(attempt, { outcome: 'succeeded', exitCode: 0, log: { complete: true } }, id);
        t.true((attempt.finishedAt ?? 0) > attempt.startedAt, id);
      }
    }

    // One digest in the record, in the registry and in the pods that answer.
    const release = await backend.release('r1');
    t.like(release, { run: report.runId, commit, actor: served.gitea.name });
    const image = release?.services[0]?.image ?? '';
    t.is(await manifestDigest(image), digestOf(image));
    t.deepEqual(await running(backend, 'testing'), [digestOf(image)]);
    t.deepEqual(await running(backend, 'production'), [digestOf(image)]);
    t.like(await backend.evidence('r1'), { run: report.runId, commit });
    t.like(await backend.ask('/tasks'), { status: 200, release: 'r1', body: '[]' });

    // What does not get through its gates is told where the commit is, and changes nothing.
    await backend.commit({ 'server.js': `${backend.read('server.js')}\nconst = 1;` });
    const refused = await untilStatus(served, await push(), ['success', 'failure', 'error']);
    t.like(refused, { context: 'sluice/tasks', status: 'failure' });
    const red = await reportAt(place, refused.target_url);
    t.like(stepOf(red, 'validate/check'), { outcome: 'failed', reason: 'exit_code' });
    t.like(await backend.production(), { live: 'r1', promotion: { run: report.runId, state: 'promoted' } });
    t.like(await backend.ask('/tasks'), { status: 200, release: 'r1' });
  },
);
