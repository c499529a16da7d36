import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import { apiHosts, forgeApi } from '../../runner/outgoing/forge-api.ts';
import { notice } from '../../runner/outgoing/notice-fixture.ts';
import { isPullRequestClosed } from '../../runner/outgoing/pull-request-state.ts';
import { createSender } from '../../runner/outgoing/sender.ts';
import { statusMessage } from '../../runner/outgoing/status-message.ts';
import type { Delivery, Trigger } from '../../runner/triggers/forge.ts';
import { forges } from '../../runner/triggers/forges.ts';
import { Gitea, giteaTest } from './test-gitea.ts';
import type { GiteaRepository } from './test-gitea.ts';

const secret = 'shared with the hook';

/** Takes deliveries as the intake does: verified over their raw bytes, then read. */
async function startIntake(t: ExecutionContext) {
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const verification = forges.gitea.verify(request.headers, body, secret, Date.now());
      if (verification.genuine) deliveries.push(forges.gitea.read(request.headers, body));
      response.writeHead(verification.genuine ? 202 : 401).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  const address = server.address();
  const next = async (count: number): Promise<readonly Delivery[]> => {
    for (let tries = 0; deliveries.length < count; tries++) {
      if (tries > 600) throw new Error(`${deliveries.length} of ${count} deliveries came`);
      await new Promise((wake) => setTimeout(wake, 50));
    }
    return deliveries.splice(0, count);
  };
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`, next };
}

async function setUp(t: ExecutionContext) {
  const gitea = new Gitea();
  const intake = await startIntake(t);
  const repository = await gitea.newRepository();
  await gitea.addHook(repository, intake.url, secret);
  return { gitea, intake, repository, copy: await gitea.clone(t, repository) };
}

/** What a server has for what it says to the forge of a repository. */
async function speakTo(t: ExecutionContext, gitea: Gitea, { clone_url }: GiteaRepository) {
  const api = forgeApi('gitea', clone_url);
  if (api === undefined) throw new Error('a Gitea has an API');
  const hosts = { hosts: [], privateHosts: apiHosts([{ forge: 'gitea', cloneUrl: clone_url }]) };
  const sender = createSender(() => Promise.resolve(hosts), Date.now);
  t.teardown(() => sender.close());
  return { sender, forge: { forge: 'gitea', api, token: await gitea.newToken() } as const };
}

const triggersOf = (deliveries: readonly Delivery[]): readonly Trigger[] =>
  deliveries.flatMap((delivery) => (delivery.kind === 'triggers' ? delivery.triggers : []));

giteaTest(
  'R000-21: a push to a real Gitea is announced, verified and read, and its commit status is seen there',
  async (t) => {
    const { gitea, intake, repository, copy } = await setUp(t);
    const commit = await copy.commit('orders.ts', 'Count orders once');
    await copy.git('push', '--quiet', 'origin', 'main');
    const deliveries = await intake.next(2);
    const [trigger, ...more] = triggersOf(deliveries);
    t.deepEqual(more, [], 'the announcement of the new branch starts nothing besides');
    t.like(trigger, { event: 'push', ref: 'refs/heads/main', branch: 'main', tag: '', commit, before: '' });
    t.like(trigger, { title: 'Count orders once', actor: gitea.name });
    t.is(trigger?.repository.id, String(repository.id));
    t.is(trigger?.repository.cloneUrl, repository.clone_url);
    t.is(new Set(deliveries.map(({ deliveryId }) => deliveryId)).size, 2);
    t.true(deliveries.every(({ deliveryId }) => /^[0-9a-f-]{36}$/.test(deliveryId)));

    const { sender, forge } = await speakTo(t, gitea, repository);
    const target = { ...forge, runUrl: 'https://sluice.example/runs/r1' };
    for (const state of ['running', 'finished'] as const) {
      const message = statusMessage(notice({ commit }, { state }), target);
      t.deepEqual(await sender.send(message, new AbortController().signal), { kind: 'done' });
    }
    const statuses = await gitea.statuses(repository, commit);
    t.deepEqual(statuses.map(({ status }) => status).toSorted(), ['pending', 'success']);
    const done = statuses.find(({ status }) => status === 'success');
    t.like(done, { context: 'sluice/orders-api', description: 'The run succeeded.', target_url: target.runUrl });
  },
);

giteaTest(
  'an annotated tag of a real Gitea names the commit it points to, and deleted refs start nothing',
  async (t) => {
    const { intake, copy } = await setUp(t);
    const commit = await copy.commit('orders.ts', 'Count orders once');
    await copy.git('push', '--quiet', 'origin', 'main');
    await intake.next(2);
    await copy.git('tag', '-a', 'v1', '-m', 'first');
    await copy.git('push', '--quiet', 'origin', 'v1');
    const tagged = triggersOf(await intake.next(2));
    t.is(tagged.length, 1);
    t.like(tagged[0], { ref: 'refs/tags/v1', branch: '', tag: 'v1', commit });
    await copy.git('push', '--quiet', '--delete', 'origin', 'v1');
    const gone = await intake.next(2);
    t.deepEqual(
      gone.map((delivery) => delivery.kind === 'ignored' && delivery.reason),
      ['The ref was deleted.', 'The ref was deleted.'],
    );
  },
);

giteaTest('pull requests of a real Gitea: one of its own branches is none of a fork, a stranger’s is', async (t) => {
  const { gitea, intake, repository, copy } = await setUp(t);
  await copy.commit('orders.ts', 'Count orders once');
  await copy.git('push', '--quiet', 'origin', 'main');
  await copy.git('checkout', '--quiet', '-b', 'count');
  const own = await copy.commit('orders.ts', 'Count them twice');
  await copy.git('push', '--quiet', 'origin', 'count');
  await intake.next(4);
  await gitea.openPull(repository, 'count', 'main');
  const [mine] = triggersOf(await intake.next(1));
  t.like(mine, { event: 'pull_request', branch: 'count', commit: own, actor: gitea.name, ref: 'refs/pull/1/head' });
  t.like(mine?.pullRequest, { number: 1, base: 'main', fork: false });

  const stranger = await gitea.newUser();
  const fork = await stranger.fork(repository);
  const theirs = await stranger.clone(t, fork);
  const foreign = await theirs.commit('orders.ts', 'Count none');
  await theirs.git('push', '--quiet', 'origin', 'HEAD:refs/heads/none');
  await stranger.openPull(repository, `${stranger.name}:none`, 'main');
  const [other] = triggersOf(await intake.next(1));
  t.like(other, { event: 'pull_request', branch: 'none', commit: foreign, actor: stranger.name });
  t.like(other?.pullRequest, { number: 2, fork: true, headRepositoryId: String(fork.id) });
  t.is(await copy.git('ls-remote', 'origin', 'refs/pull/2/head').then((line) => line.split('\t')[0]), foreign);
});

giteaTest('a real Gitea says whether a pull request is closed, to whom may read it', async (t) => {
  const { gitea, repository, copy } = await setUp(t);
  await copy.commit('orders.ts', 'Count orders once');
  await copy.git('push', '--quiet', 'origin', 'main');
  await copy.git('checkout', '--quiet', '-b', 'count');
  await copy.commit('orders.ts', 'Count them twice');
  await copy.git('push', '--quiet', 'origin', 'count');
  await gitea.openPull(repository, 'count', 'main');
  const { sender, forge } = await speakTo(t, gitea, repository);
  const isClosed = (number: number, token = forge.token) =>
    isPullRequestClosed(sender, { ...forge, token }, number, AbortSignal.timeout(10_000));
  t.is(await isClosed(1), false);
  await gitea.closePull(repository, 1);
  t.is(await isClosed(1), true);
  t.is(await isClosed(2), undefined);
  t.is(await isClosed(1, 'f'.repeat(40)), undefined);
});
