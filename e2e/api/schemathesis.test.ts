import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { openApi } from '../../runner/api/api-fixture.ts';
import { startLocalBackends } from '../../runner/environments/local/local-backends-fixture.ts';

const run = promisify(execFile);
const environment = join(homedir(), '.cache', 'schemathesis');

/** Installed once into an environment of its own. */
async function program(): Promise<string> {
  const path = join(environment, 'bin', 'schemathesis');
  if (existsSync(path)) return path;
  await run('python3', ['-m', 'venv', environment]);
  await run(join(environment, 'bin', 'pip'), ['install', '--quiet', 'schemathesis']);
  return path;
}

test('requests made from the OpenAPI find no error of the server and no answer that it does not promise', async (t) => {
  t.timeout(540_000);
  const place = await startLocalBackends();
  t.teardown(() => place.close());
  await place.backends.ensure({ backend: { name: 'orders', services: [] }, repository: 'shop' });
  const { url, admin, run: runPipeline } = await openApi(t, { backends: place.backends });
  await runPipeline('pipeline: p\nsteps: { a: { run: echo hi } }\n');
  const words = [
    'run',
    `${url}/v1/openapi.json`,
    ...['--header', `Authorization: Bearer ${admin}`],
    ...['--exclude-path-regex', '/stream$'],
    ...['--checks', 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance'],
    ...['--max-examples', '15', '--seed', '1', '--request-timeout', '10', '--no-color'],
  ];
  const { stdout } = await run(await program(), words, { maxBuffer: 1e8 }).catch((error: unknown) => {
    t.log(error instanceof Error && 'stdout' in error ? error.stdout : error);
    throw new Error('schemathesis found something.');
  });
  t.regex(stdout, /(\d{3,}) generated, \1 passed/);
});
