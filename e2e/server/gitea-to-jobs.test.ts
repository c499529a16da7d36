import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext, Implementation } from 'ava';
import { freshNamespace, imageOf, kubectl } from '../cluster/test-cluster.ts';
import { serveGitea, untilStatus } from './serve-gitea.ts';
import { Place } from './served.ts';

const { CI, E2E_IMAGES, E2E_GITEA } = process.env;

/** Without a cluster and a Gitea it is skipped, except in CI, where it fails. */
function wholeTest(title: string, implementation: Implementation<[]>): void {
  if ((E2E_IMAGES === undefined || E2E_GITEA === undefined) && CI !== 'true') test.skip(title, implementation);
  else test(title, implementation);
}

/** A repository on the Gitea whose hook leads to a server that runs steps in a namespace of the test. */
async function setUp(t: ExecutionContext) {
  const namespace = await freshNamespace(t, 'served');
  const place = await Place.open(t, {
    SLUICE_EXECUTOR: 'kubernetes',
    SLUICE_NAMESPACE: namespace,
    SLUICE_AGENT_IMAGE: imageOf('agent'),
  });
  const served = await serveGitea(place, 'orders');
  const copy = await served.gitea.clone(t, served.repository);
  const push = async (yaml: string) => {
    const commit = await copy.commit('sluice.yaml', yaml);
    await copy.git('push', '--quiet', 'origin', 'main');
    return commit;
  };
  return { place, namespace, served, push };
}

wholeTest(
  'E1, E18, R001-1 to R001-5: git push to a real Gitea becomes Jobs, and their result a commit status',
  async (t) => {
    const { place, namespace, served, push } = await setUp(t);
    const image = imageOf('busybox');
    const yaml = `pipeline: orders
on: { push: { branches: [main] } }
steps:
  test: { image: "${image}", run: "echo tested > proof", artifacts: [proof] }
  check: { image: "${image}", run: "true" }
`;
    const green = await push(yaml);
    t.like(await untilStatus(served, green, ['success']), { context: 'sluice/orders' });
    const red = await push(yaml.replace('"true"', '"exit 3"'));
    const status = await untilStatus(served, red, ['failure']);
    t.regex(status.description, /step failed/);
    t.true(status.target_url.startsWith(place.url));
    const broken = await push(yaml.replace('run: "true"', 'rum: "true"'));
    t.like(await untilStatus(served, broken, ['failure']), { context: 'sluice' });
    const runs = await place.ended(3);
    t.deepEqual(
      runs.map(({ commit, outcome, reason }) => [commit, reason ?? outcome]),
      [
        [broken, 'pipeline_invalid'],
        [red, 'step_failed'],
        [green, 'succeeded'],
      ],
    );
    const { items } = JSON.parse(await kubectl(['get', 'pods', '-n', namespace, '-o', 'json'])) as {
      readonly items: readonly { readonly spec: object }[];
    };
    for (const { spec } of items) t.false(JSON.stringify(spec).includes('x-access-token'));
  },
);

wholeTest('E7: a server that is killed while a Job runs is followed by one that goes on with it', async (t) => {
  const { place, namespace, served, push } = await setUp(t);
  const commit = await push(`pipeline: orders
on: { push: }
steps:
  slow: { image: "${imageOf('busybox')}", run: "sleep 6; echo done" }
  after: { image: "${imageOf('busybox')}", run: "echo after" }
`);
  await untilStatus(served, commit, ['pending']);
  for (;;) {
    const pods = await kubectl([
      'get',
      'pods',
      '-n',
      namespace,
      '--field-selector',
      'status.phase=Running',
      '-o',
      'name',
    ]);
    if (pods !== '') break;
    await sleep(100);
  }
  await place.kill();
  await place.serve();
  await untilStatus(served, commit, ['success']);
  const runs = await place.ended(1);
  t.like(runs, [{ outcome: 'succeeded' }]);
  const shown = (await place.sluice('show', runs[0]?.runId ?? '')) as {
    readonly steps: readonly { readonly attempts: readonly unknown[] }[];
  };
  t.deepEqual(
    shown.steps.map(({ attempts }) => attempts.length),
    [1, 1],
  );
});
