import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext, Implementation } from 'ava';
import { freshNamespace, imageOf, kubectl } from '../cluster/test-cluster.ts';
import { Gitea } from '../gitea/test-gitea.ts';
import type { GiteaRepository, GiteaStatus } from '../gitea/test-gitea.ts';
import { Place } from './served.ts';
import type { Hook } from './served.ts';

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
  const gitea = new Gitea();
  const repository = await gitea.newRepository();
  const [secretFile, tokenFile] = [join(place.folder, 'secret'), join(place.folder, 'token')];
  const secret = randomBytes(12).toString('hex');
  await writeFile(secretFile, secret);
  await writeFile(tokenFile, await gitea.newToken());
  const { hook } = (await place.sluice(
    ...['repository', 'add', 'orders', '--forge', 'gitea', '--url', repository.clone_url],
    ...['--secret-file', secretFile, '--token-file', tokenFile],
  )) as Hook;
  await place.serve();
  await gitea.addHook(repository, `${place.url}${hook}`, secret);
  const copy = await gitea.clone(t, repository);
  const push = async (yaml: string) => {
    const commit = await copy.commit('sluice.yaml', yaml);
    await copy.git('push', '--quiet', 'origin', 'main');
    return commit;
  };
  return { place, namespace, gitea, repository, push };
}

async function untilStatus(gitea: Gitea, repository: GiteaRepository, commit: string, wanted: readonly string[]) {
  for (;;) {
    const statuses: readonly GiteaStatus[] = await gitea.statuses(repository, commit);
    const found = statuses.find(({ status }) => wanted.includes(status));
    if (found) return found;
    await sleep(200);
  }
}

wholeTest(
  'E1, E18, R001-1 to R001-5: git push to a real Gitea becomes Jobs, and their result a commit status',
  async (t) => {
    const { place, namespace, gitea, repository, push } = await setUp(t);
    const image = imageOf('busybox');
    const yaml = `pipeline: orders
on: { push: { branches: [main] } }
steps:
  test: { image: "${image}", run: "echo tested > proof", artifacts: [proof] }
  check: { image: "${image}", run: "true" }
`;
    const green = await push(yaml);
    t.like(await untilStatus(gitea, repository, green, ['success']), { context: 'sluice/orders' });
    const red = await push(yaml.replace('"true"', '"exit 3"'));
    const status = await untilStatus(gitea, repository, red, ['failure']);
    t.regex(status.description, /step failed/);
    t.true(status.target_url.startsWith(place.url));
    const broken = await push(yaml.replace('run: "true"', 'rum: "true"'));
    t.like(await untilStatus(gitea, repository, broken, ['failure']), { context: 'sluice' });
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
  const { place, namespace, gitea, repository, push } = await setUp(t);
  const commit = await push(`pipeline: orders
on: { push: }
steps:
  slow: { image: "${imageOf('busybox')}", run: "sleep 6; echo done" }
  after: { image: "${imageOf('busybox')}", run: "echo after" }
`);
  await untilStatus(gitea, repository, commit, ['pending']);
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
  await untilStatus(gitea, repository, commit, ['success']);
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
