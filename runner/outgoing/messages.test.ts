import test from 'ava';
import { createHmac } from 'node:crypto';
import { eventMessage } from './event-message.ts';
import { forgeApi } from './forge-api.ts';
import { notice, signingSecret } from './notice-fixture.ts';
import { statusMessage } from './status-message.ts';
import type { ForgeName } from '../triggers/forge.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Notice } from '../store/outbox.ts';

const clones: Readonly<Record<ForgeName, string>> = {
  github: 'https://github.com/shop/orders.git',
  gitlab: 'https://git.example:8443/group/sub/orders.git',
  gitea: 'http://git.local:3000/shop/orders.git',
  bitbucket: 'https://bitbucket.org/shop/orders.git',
};
const runUrl = 'https://sluice.example/runs/r1';

function status(forge: ForgeName, about: Notice) {
  const api = forgeApi(forge, clones[forge]);
  if (!api) throw new Error(forge);
  const { url, headers, body } = statusMessage(about, { forge, api, token: 'open', runUrl });
  const fields: unknown = JSON.parse(body);
  return { url, headers, fields: fields as Readonly<Record<string, string>> };
}

test('each forge is asked at its own address, with its own words', (t) => {
  const commit = 'c'.repeat(40);
  const common = { state: 'success', description: 'The run succeeded.', target_url: runUrl };
  const github = status('github', notice());
  t.is(github.url, `https://api.github.com/repos/shop/orders/statuses/${commit}`);
  t.is(github.headers['authorization'], 'Bearer open');
  t.deepEqual(github.fields, { ...common, context: 'sluice/orders-api' });
  const gitea = status('gitea', notice());
  t.is(gitea.url, `http://git.local:3000/api/v1/repos/shop/orders/statuses/${commit}`);
  t.is(gitea.headers['authorization'], 'token open');
  t.deepEqual(gitea.fields, { ...common, context: 'sluice/orders-api' });
  const gitlab = status('gitlab', notice());
  t.is(gitlab.url, `https://git.example:8443/api/v4/projects/group%2Fsub%2Forders/statuses/${commit}`);
  t.deepEqual(gitlab.fields, { ...common, name: 'sluice/orders-api' });
  const bitbucket = status('bitbucket', notice());
  t.is(bitbucket.url, `https://api.bitbucket.org/2.0/repositories/shop/orders/commit/${commit}/statuses/build`);
  t.deepEqual(bitbucket.fields, {
    key: 'sluice/orders-api',
    name: 'sluice/orders-api',
    state: 'SUCCESSFUL',
    description: 'The run succeeded.',
    url: runUrl,
  });
});

test('no outcome but success is a success at any forge, and one under way is pending', (t) => {
  const outcomes: readonly Outcome[] = ['failed', 'errored', 'cancelled', 'skipped'];
  for (const forge of ['github', 'gitlab', 'gitea', 'bitbucket'] as const) {
    for (const outcome of outcomes)
      t.notRegex(status(forge, notice({ outcome })).fields['state'] ?? 'success', /success/i, `${forge} ${outcome}`);
    for (const state of ['queued', 'running'] as const)
      t.regex(
        status(forge, notice({}, { state })).fields['state'] ?? '',
        /^(pending|running|INPROGRESS)$/,
        `${forge} ${state}`,
      );
  }
});

test('the description says why, and fits; long keys fit too', (t) => {
  const red = status('github', notice({ outcome: 'failed', reason: 'tests_failed' })).fields['description'];
  t.is(red, 'Failed: `sluice tests` lists the red cases with their messages.');
  const long =
    status('github', notice({ outcome: 'errored', reason: 'cluster_unreachable' })).fields['description'] ?? '';
  t.true(long.length <= 140);
  const named = status('bitbucket', notice({ pipeline: 'p'.repeat(50) })).fields;
  t.regex(named['key'] ?? '', /^[0-9a-f]{40}$/);
  t.is(named['name'], `sluice/${'p'.repeat(50)}`);
});

test('names cannot leave their place in the address', (t) => {
  const odd = statusMessage(notice({ commit: '../x?y#z' }), {
    forge: 'gitea',
    api: { url: 'http://git.local', fullName: 'a?b/c d' },
    token: 'open',
    runUrl,
  });
  t.is(odd.url, 'http://git.local/repos/a%3Fb/c%20d/statuses/..%2Fx%3Fy%23z');
});

test('the API belongs to the address that is cloned from', (t) => {
  t.deepEqual(forgeApi('github', 'https://ghe.example/a/b'), { url: 'https://ghe.example/api/v3', fullName: 'a/b' });
  t.is(forgeApi('gitea', 'ssh://git@x/a/b'), undefined);
  t.is(forgeApi('gitea', 'https://x/'), undefined);
  t.is(forgeApi('gitea', ''), undefined);
});

test('the end of a run is a CloudEvent with a signature over its id, time and body', (t) => {
  const { headers, body } = eventMessage(
    notice(),
    { url: 'https://x', secret: signingSecret },
    'https://sluice.example',
    70_500,
  );
  t.is(headers['webhook-id'], 'r1.9');
  t.is(headers['webhook-timestamp'], '70');
  const expected = createHmac('sha256', Buffer.alloc(32, 7)).update(`r1.9.70.${body}`).digest('base64');
  t.is(headers['webhook-signature'], `v1,${expected}`);
  t.regex(headers['content-type'] ?? '', /^application\/cloudevents\+json/);
  t.deepEqual(JSON.parse(body), {
    specversion: '1.0',
    id: 'r1.9',
    source: 'https://sluice.example',
    type: 'dev.sluice.run.finished',
    subject: 'runs/r1',
    time: '1970-01-01T00:01:01.000Z',
    datacontenttype: 'application/json',
    data: {
      runId: 'r1',
      repository: 'orders',
      pipeline: 'orders-api',
      event: 'push',
      ref: 'refs/heads/main',
      commit: 'c'.repeat(40),
      outcome: 'succeeded',
      createdAt: 1_000,
      finishedAt: 61_000,
    },
  });
  const unsigned = () => eventMessage(notice(), { url: 'https://x', secret: 'short' }, '', 0);
  t.throws(unsigned, { code: 'ERR_USAGE', message: /no signing secret/ });
});
