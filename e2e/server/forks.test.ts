import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { bodyOf, githubPull } from '../../runner/triggers/delivery-fixture.ts';
import { deliver, Place } from './served.ts';
import type { Hook } from './served.ts';

const yaml = 'pipeline: shop\non: { pull_request: }\nsteps: { unit: { run: echo tested } }\n';

async function setUp(t: ExecutionContext) {
  const place = await Place.open(t, { SLUICE_POLL_SECONDS: '0' });
  const url = join(place.folder, 'shop.git');
  const add = ['repository', 'add', 'shop', '--forge', 'gitea', '--url', url, '--forks', 'approve'];
  const hook = (await place.sluice(...add)) as Hook;
  await place.serve();
  return { place, hook };
}

/** A new head of a pull request, as Gitea announces it; answers its run. */
async function propose(place: Place, hook: Hook, commit: string, headRepository: number): Promise<string> {
  const pull = githubPull.pull_request;
  const head = { ...pull.head, sha: commit, repo: { id: headRepository } };
  const body = bodyOf({ ...githubPull, pull_request: { ...pull, head } });
  const response = await deliver(place.url, hook, 'pull_request', new Uint8Array(body));
  const { deliveries } = (await response.json()) as { readonly deliveries: readonly { readonly runId: string }[] };
  return deliveries[0]?.runId ?? '';
}

test('A11, T-01: a pull request from a fork runs once its commit is approved, and that commit only', async (t) => {
  const { place, hook } = await setUp(t);
  const first = await place.push(yaml);
  const own = await propose(place, hook, first, 7);
  await place.ended(1);
  const second = await place.push(`${yaml}# from a fork\n`);
  const held = await propose(place, hook, second, 8);
  const third = await place.push(`${yaml}# pushed while somebody looked\n`);
  const later = await propose(place, hook, third, 8);
  const { secret } = (await place.sluice('token', 'create', '--role', 'maintainer', '--name', 'ada')) as {
    secret: string;
  };
  const ask = async (path: string, body?: object) => {
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    const sent = body && { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${place.url}${path}`, { headers, ...sent });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  };
  await sleep(2_000);
  t.like((await ask(`/v1/runs/${held}`)).body, { phase: 'queued', waiting: { for: 'review', commit: second } });
  t.regex(String((await ask(`/v1/runs/${held}/explanation`)).body['answer']), /looked at commit .* approved/);
  t.is((await ask(`/v1/runs/${held}/approval`, { commit: third, approved: true })).status, 409);
  t.is((await ask(`/v1/runs/${own}/approval`, { commit: first, approved: true })).status, 409);
  t.is((await ask(`/v1/runs/${held}/approval`, { commit: second, approved: true })).status, 202);
  while ((await ask(`/v1/runs/${held}`)).body['phase'] !== 'finished') await sleep(200);
  t.like((await ask(`/v1/runs/${held}`)).body, { outcome: 'succeeded', review: { approved: true, by: 'token:ada' } });
  t.like((await ask(`/v1/runs/${later}`)).body, { phase: 'queued' });
  t.like(await place.sluice('approve', later, '--reject', '--comment', 'no'), { commit: third, approved: false });
  const runs = await place.ended(3);
  t.like(
    runs.find(({ runId }) => runId === later),
    { outcome: 'failed', reason: 'rejected' },
  );
});
