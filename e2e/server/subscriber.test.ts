import { createHmac, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { ScriptedReceiver } from '../../runner/outgoing/scripted-receiver-fixture.ts';
import { announce, Place } from './served.ts';
import type { Hook } from './served.ts';

const green = 'pipeline: shop\non: { push: { branches: [main] } }\nsteps: { unit: { run: echo tested } }\n';

test('R001-6, R001-14: a subscriber that was away while a run ended gets one signed event of it when it is back', async (t) => {
  const away = await ScriptedReceiver.start(t);
  const { port, host } = away;
  away.stop();
  const bystander = await ScriptedReceiver.start(t);
  const place = await Place.open(t);
  const key = randomBytes(32);
  await writeFile(join(place.folder, 'secret'), `whsec_${key.toString('base64')}`);
  const subscriber = { secretFile: 'secret', private: true };
  const list = join(place.folder, 'subscribers.json');
  await writeFile(
    list,
    JSON.stringify([
      { ...subscriber, name: 'app', url: `http://${host}/done`, repositories: ['shop'] },
      { ...subscriber, name: 'other', url: `http://${bystander.host}/`, repositories: ['bank'] },
    ]),
  );
  place.environment['SLUICE_SUBSCRIBERS'] = list;
  const commit = await place.push(green);
  const url = join(place.folder, 'shop.git');
  const hook = (await place.sluice('repository', 'add', 'shop', '--forge', 'gitea', '--url', url)) as Hook;
  await place.serve();
  t.is((await announce(place.url, hook, commit)).status, 202);
  const [run] = await place.ended(1);
  // Long enough for a first try, which nobody answers.
  await sleep(1_500);
  const back = await ScriptedReceiver.start(t, [], port);
  const deadline = Date.now() + 30_000;
  while (back.received.length === 0 && Date.now() < deadline) await sleep(100);
  // Longer than the wait before another try would be.
  await sleep(5_000);
  t.is(back.received.length, 1);
  t.deepEqual(bystander.received, []);
  const [{ path, headers, body }] = back.received as [(typeof back.received)[number]];
  t.is(path, '/done');
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  t.is(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  t.like(JSON.parse(body), {
    specversion: '1.0',
    id: headers['webhook-id'],
    type: 'dev.sluice.run.finished',
    subject: `runs/${run?.runId}`,
    data: { runId: run?.runId, repository: 'shop', commit, outcome: 'succeeded' },
  });
});
