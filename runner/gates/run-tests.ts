import type { Release } from '../environments/release.ts';
import { withConnection } from '../migrations/database/connection.ts';
import { readCounters, untouchedTables } from '../migrations/schema/touched-tables.ts';
import { trialOf } from '../model/backend.ts';
import { SluiceError } from '../model/errors.ts';
import { awaitAnswers } from './await-answers.ts';
import { awaitHealth } from './await-health.ts';
import { healthPath, ownRelease } from './deploy-test.ts';
import { takeFence } from './fence.ts';
import type { Operation, OperationContext } from './operation.ts';
import { readProduction } from './production.ts';
import { evidenceOf, readMigration, recordEvidence, releaseNamed } from './records.ts';

const startMs = 120_000;
const routeMs = 60_000;
const testsMs = 30 * 60_000;
const inRow = 3;

/** The step before this one has proven the tests; this one proves what they tested, and puts it on record. */
export const recordTests: Operation = async (context) => {
  const { site, run, commit, say, clock, input } = context;
  if (input('run') + input('postman') + input('http') === '') {
    throw new SluiceError('ERR_GATE', 'nothing was tested: the gate was given no tests', {
      hint: 'Give `run-tests` a `run`, `postman` or `http`.',
    });
  }
  const release = await ownRelease(context);
  const environment = trialOf(site.backend);
  const routed = await site.routed(environment);
  if (routed !== release.name) {
    throw new SluiceError(
      'ERR_GATE',
      `the address of ${environment} leads to ${routed ?? 'nothing'} and not to ${release.name}: nobody knows what was tested`,
      { hint: 'Another run deployed meanwhile; start this one again.' },
    );
  }
  const passedAt = new Date(clock()).toISOString();
  const schemas = await schemasOf(context);
  await recordEvidence(site, { release: release.name, run, commit, passedAt, script: input('run'), schemas });
  say(`${release.name} passed its tests`);
  return {};
};

/**
 * Runs the tests of the live release on the schema that this run made: only if they pass can production go back to that release after the
 * migration (delivery.md §3, N-1). For a table that they do not touch they prove nothing, which the server's counters tell. ERR_GATE when they fail, and where
 * `untouched` is `refuse` also for such a table.
 */
export const proveLive: Operation = async (context) => {
  const { site, say, run } = context;
  const own = await ownRelease(context);
  const migration = await readMigration(site, run);
  const { live } = (await readProduction(site)).production;
  if (migration === undefined || live === undefined || live === own.name) return allTouched;
  const { fingerprint: schema, tables = [] } = migration;
  const evidence = await evidenceOf(site, live);
  if (evidence?.schemas.includes(schema) === true) {
    say(`${live} has passed its tests on this schema already`);
    return allTouched;
  }
  const release = await releaseNamed(site, live);
  if (release === undefined || evidence === undefined || evidence.script === '') {
    say(`of ${live} there are no tests on record that run in its own image`);
    return allTouched;
  }
  try {
    await deploy(context, release);
    const untouched = await untouchedBy(context, tables, () => runTests(context, release, evidence.script));
    judgeUntouched(context, live, untouched);
    await recordEvidence(site, { ...evidence, schemas: [...evidence.schemas, schema] });
    say(`${live}, which is live, passes its tests on the new schema`);
    return { untouched: untouched.join(' ') };
  } finally {
    await deploy(context, own);
    await site.keep(trialOf(site.backend), [own.name]);
  }
};

const allTouched = { untouched: '' } as const;

/** Those of some tables of the testing database that nothing read or wrote during the tests. */
async function untouchedBy(
  { database, signal }: OperationContext,
  tables: readonly string[],
  tests: () => Promise<void>,
): Promise<readonly string[]> {
  if (database === undefined || tables.length === 0) {
    await tests();
    return [];
  }
  return withConnection({ url: database.admin, signal }, async (connection) => {
    const before = await readCounters(connection);
    await tests();
    return untouchedTables(connection, { before, tables, signal });
  });
}

function judgeUntouched({ say, input }: OperationContext, live: string, untouched: readonly string[]): void {
  if (untouched.length === 0) return;
  const fact = `the tests of ${live} touch nothing of ${untouched.join(', ')}, which the migration changed: they prove nothing for that`;
  if (input('untouched') !== 'refuse') {
    say(fact);
    return;
  }
  throw new SluiceError('ERR_GATE', fact, {
    hint: 'Add tests that use it, or let it pass with `untouched: report`.',
  });
}

async function deploy(context: OperationContext, release: Release): Promise<void> {
  const { site } = context;
  const environment = trialOf(site.backend);
  await site.start(environment, release);
  await awaitHealth(context, environment, release, startMs);
  await site.route(environment, release, await takeFence(site, environment));
  const path = healthPath(release);
  await awaitAnswers(context, environment, { release: release.name, path, inRow, timeoutMs: routeMs });
}

/** In a copy of the app's folder, as the script may write beside its sources. */
async function runTests(
  { site, say, signal, attempt, run }: OperationContext,
  release: Release,
  script: string,
): Promise<void> {
  const environment = trialOf(site.backend);
  const { exitCode, output } = await site.task(environment, release, {
    group: `live-tests-${environment}`,
    name: `live-tests-${release.name}-${run}-${attempt}`.slice(0, 60),
    script: `cp -R . /tmp/workspace && cd /tmp/workspace\n${script}`,
    env: { APP_URL: site.url(environment), CI: 'true' },
    timeoutMs: testsMs,
    signal,
  });
  if (output !== '') say(output);
  if (exitCode === 0) return;
  throw new SluiceError(
    'ERR_GATE',
    `the tests of ${release.name}, which is live, fail on the new schema with exit code ${exitCode}`,
    {
      hint: 'Change the schema so that the live release goes on working, and take away what it uses in a later release.',
    },
  );
}

/** The schema that the run made; none for a backend whose database it did not touch. */
async function schemasOf({ site, run }: OperationContext): Promise<readonly string[]> {
  const migration = await readMigration(site, run);
  return migration === undefined ? [] : [migration.fingerprint];
}
