import test from 'ava';
import { loadConfig } from './load-config.ts';
import { redactConfig } from './redact-config.ts';

test('the configuration that is shown says what counts, and of secrets only that they are there', (t) => {
  const variables = {
    SLUICE_DATABASE_URL: 'postgres://ada:keep-me-1@db.example/sluice?password=keep-me-2',
    SLUICE_BLOBS_URL: 'https://ada:keep-me-9@s3.example/bucket',
    AWS_ACCESS_KEY_ID: 'keep-me-3',
    AWS_SECRET_ACCESS_KEY: 'keep-me-4',
    AWS_SESSION_TOKEN: 'keep-me-5',
    SLUICE_SECRET_NPM_TOKEN: 'keep-me-6',
    SLUICE_URL: 'https://ada:keep-me-7@sluice.example',
    SLUICE_AGENT_URL: 'http://ada:keep-me-8@sluice.svc:9000',
    SLUICE_RUNS: '7',
  };
  const shown = redactConfig(loadConfig({ variables, processors: 4, user: 'ann', dataFolder: '/data' }));
  t.notRegex(JSON.stringify(shown), /keep-me/);
  t.like(shown, { home: '/data', runs: 7, jobs: 4, url: 'https://ada:hidden@sluice.example' });
  t.is(shown.database?.url, 'postgres://ada:hidden@db.example/sluice?password=hidden');
  t.deepEqual(Object.keys(shown.secrets), ['NPM_TOKEN']);
});

test('an address of a database that cannot be read is not shown at all', (t) => {
  const variables = { SLUICE_DATABASE_URL: 'postgres://ada:keep-me@:x' };
  const shown = redactConfig(loadConfig({ variables, processors: 4, user: 'ann', dataFolder: '/data' }));
  t.notRegex(JSON.stringify(shown), /keep-me/);
});
