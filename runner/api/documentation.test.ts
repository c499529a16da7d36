import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import test from 'ava';
import { leastRoles } from './access.ts';
import { startLocalBackends } from '../environments/local/local-backends-fixture.ts';
import { announce, openApi } from './api-fixture.ts';

const page = readFileSync('docs/api.md', 'utf8');

test('every curl of docs/api.md works as it stands', async (t) => {
  const place = await startLocalBackends();
  t.teardown(() => place.close());
  const world = await openApi(t, { backends: place.backends });
  const { run, url, admin } = world;
  await announce(world, 'shop');
  const runId = await run('pipeline: p\nsteps: { unit: { run: echo hi } }\n');
  const env = { PATH: process.env['PATH'] ?? '', SLUICE_TOKEN: admin, SLUICE_URL: url, RUN: runId, KEY: 'k1' };
  const lines = page.split('\n').filter((line) => line.startsWith('curl '));
  t.true(lines.length >= 10);
  for (const line of lines) await t.notThrowsAsync(promisify(execFile)('sh', ['-c', line], { env }), line);
});

test('docs/api.md names every role that something needs', (t) => {
  for (const role of Object.values(leastRoles)) t.regex(page, new RegExp(`^\\| \`${role}\` \\|`, 'm'));
});
