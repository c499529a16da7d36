import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { ForgeName } from '../triggers/forge.ts';
import { apiHosts, forgeApi } from './forge-api.ts';
import { isPullRequestClosed } from './pull-request-state.ts';
import { answer, loseAnswer, ScriptedReceiver } from './scripted-receiver-fixture.ts';
import { createSender } from './sender.ts';

async function asker(t: ExecutionContext, script: Parameters<typeof ScriptedReceiver.start>[1], host?: string) {
  const receiver = await ScriptedReceiver.start(t, script);
  const rules = { hosts: [], privateHosts: [host ?? receiver.host] };
  const sender = createSender(
    () => Promise.resolve(rules),
    () => 0,
  );
  t.teardown(() => sender.close());
  const ask = (forge: ForgeName) => {
    const api = forgeApi(forge, `http://${receiver.host}/team/sub/shop.git`);
    if (api === undefined) throw new Error('it has an API');
    return isPullRequestClosed(sender, { forge, api, token: 'open' }, 7, AbortSignal.timeout(5_000));
  };
  return { receiver, ask };
}

const stateOf = (state: string) => answer(200, {}, JSON.stringify({ title: 'x'.repeat(9_000), state }));

test('each forge is asked in its way, and understood', async (t) => {
  const states = ['open', 'closed', 'open', 'closed', 'opened', 'merged', 'locked', 'OPEN', 'DECLINED'];
  const { receiver, ask } = await asker(t, states.map(stateOf));
  const forges = [
    'github',
    'github',
    'gitea',
    'gitea',
    'gitlab',
    'gitlab',
    'gitlab',
    'bitbucket',
    'bitbucket',
  ] as const;
  const told: (boolean | undefined)[] = [];
  for (const forge of forges) told.push(await ask(forge));
  t.deepEqual(told, [false, true, false, true, false, true, false, false, true]);
  t.deepEqual(
    [0, 2, 4, 7].map((index) => {
      const { path, headers } = receiver.received[index] ?? { path: '', headers: {} };
      return [path, headers.authorization];
    }),
    [
      ['/api/v3/repos/team/sub/shop/pulls/7', 'Bearer open'],
      ['/api/v1/repos/team/sub/shop/pulls/7', 'token open'],
      ['/api/v4/projects/team%2Fsub%2Fshop/merge_requests/7', 'Bearer open'],
      ['/rest/api/latest/repositories/team/sub/shop/pullrequests/7', 'Bearer open'],
    ],
  );
});

test('a forge that does not say is believed to have said nothing', async (t) => {
  const closed = JSON.stringify({ state: 'closed' });
  const answers = [answer(404, {}, closed), answer(500), answer(200, {}, 'no JSON'), answer(200, {}, '[]'), loseAnswer];
  const { ask } = await asker(t, answers);
  for (const each of answers) t.is(await ask('gitea'), undefined, String(answers.indexOf(each)));
});

test('A12: a host that is not configured is not asked', async (t) => {
  const { receiver, ask } = await asker(t, [stateOf('closed')], 'git.example');
  t.is(await ask('gitea'), undefined);
  t.deepEqual(receiver.received, []);
});

test('the APIs of github.com and bitbucket.org are at hosts of their own', (t) => {
  const repositories = [
    { forge: 'github', cloneUrl: 'https://github.com/shop/orders.git' },
    { forge: 'bitbucket', cloneUrl: 'https://bitbucket.org/shop/orders.git' },
    { forge: 'gitea', cloneUrl: 'https://git.example:3000/shop/orders.git' },
    { forge: 'git', cloneUrl: 'https://plain.example/orders.git' },
    { forge: 'gitlab', cloneUrl: 'git@gitlab.example:shop/orders.git' },
  ] as const;
  t.deepEqual(apiHosts(repositories), ['api.github.com', 'api.bitbucket.org', 'git.example:3000']);
});
