import { join } from 'node:path';
import test from 'ava';
import { Place } from './served.ts';

interface Report {
  readonly startedAt: number;
  readonly finishedAt: number;
}

test('of one repository no more runs are under way than SLUICE_RUNS_PER_REPOSITORY, the highest priority first', async (t) => {
  const place = await Place.open(t, { SLUICE_RUNS: '0' });
  await place.push('pipeline: shop\nsteps: { unit: { run: sleep 0.5 } }\n');
  await place.sluice('repository', 'add', 'shop', '--forge', 'git', '--url', join(place.folder, 'shop.git'));
  const { secret } = (await place.sluice('token', 'create', '--name', 'ada', '--role', 'maintainer')) as {
    readonly secret: string;
  };
  await place.serve();
  const runIds: string[] = [];
  for (const priority of [-1, 0, 7, 100]) {
    const response = await fetch(`${place.url}/v1/runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify({ repository: 'shop', commit: 'main', priority }),
    });
    t.is(response.status, 201);
    runIds.push(((await response.json()) as { readonly runId: string }).runId);
  }
  t.regex(await place.text('runs'), /queued, priority 100 /);
  await place.kill();
  Object.assign(place.environment, { SLUICE_RUNS: '4', SLUICE_RUNS_PER_REPOSITORY: '1' });
  await place.serve();
  await place.ended(runIds.length);
  const reports: Report[] = [];
  for (const runId of runIds.toReversed()) reports.push((await place.sluice('show', runId)) as Report);
  for (const [index, { startedAt }] of reports.entries())
    t.true(index === 0 || startedAt >= (reports[index - 1]?.finishedAt ?? Infinity), `run ${index}`);
});
