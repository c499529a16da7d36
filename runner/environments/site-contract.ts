import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { SluiceError } from '../model/errors.ts';
import type { BackendService, Preview } from '../model/backend.ts';
import { contractService } from './contract-service-fixture.ts';
import type { OwnedPreview, PreviewPlace } from './previews.ts';
import type { EnvironmentName, Release } from './release.ts';
import type { ReleaseHealth, Site } from './site.ts';

export interface SiteSubject {
  /** Of a backend that nobody has deployed to. */
  readonly site: Site;
  /** What `image` of a release has to be, for the files of a folder on the base `node-24`. */
  readonly image: (folder: string) => Promise<string>;
  /** Where its previews are. */
  readonly previews: PreviewPlace;
  /** Brings a preview of the backend about, as the begin of a run in it does, and answers the site that leads there. */
  readonly preview: (preview: Preview) => Promise<Site>;
  readonly close: () => Promise<void>;
}

/** An app that does what its variables say: `FAULT=exit` ends at its start, `FAULT=silent` never listens. */
const app = `
import { createServer } from 'node:http';
const { FAULT, PORT, SLUICE_RELEASE } = process.env;
if (FAULT === 'exit') {
  console.error('the table is not there');
  process.exit(3);
}
const server = createServer((request, response) => response.end(SLUICE_RELEASE));
if (FAULT !== 'silent') server.listen(Number(PORT));
else setInterval(() => undefined, 1_000);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

const healthMs = 60_000;

function codeOf(error: unknown): string | undefined {
  return error instanceof SluiceError ? error.code : undefined;
}

const shown: Preview = { environment: 'preview-pr-7', branch: 'login', pullRequest: 7, ttlMs: 3_600_000, max: 1 };

/** Waits while it is starting. */
async function settled(site: Site, environment: EnvironmentName, release: Release): Promise<ReleaseHealth> {
  const deadline = performance.now() + healthMs;
  for (;;) {
    const health = await site.health(environment, release);
    if (health.state !== 'starting' || performance.now() > deadline) return health;
    await sleep(50);
  }
}

/** Asks until an answer fits, and answers whether one did. */
async function answers(site: Site, environment: EnvironmentName, release: string): Promise<boolean> {
  const deadline = performance.now() + healthMs;
  while (performance.now() < deadline) {
    const answer = await site.ask(environment, '/');
    if (answer?.status === 200 && answer.release === release) return true;
    await sleep(50);
  }
  return false;
}

/** What every implementation of `Site` has to keep. Tests build on each other, because a place like a cluster is slow to make. */
export function siteContract(create: () => Promise<SiteSubject>): void {
  let subject: SiteSubject;
  let image = '';

  const releaseOf = (name: string, changes: Partial<BackendService> = {}): Release => ({
    name,
    run: `run-of-${name}`,
    commit: 'c'.repeat(40),
    branch: 'main',
    actor: 'ada',
    createdAt: '2026-01-01T00:00:00.000Z',
    services: [{ ...contractService, image, ...changes }],
  });

  test.before(async () => {
    subject = await create();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-app-'));
    writeFileSync(join(folder, 'server.mjs'), app);
    image = await subject.image(folder);
    rmSync(folder, { recursive: true });
  });
  test.after.always(() => subject.close());

  test.serial('a record is there once it was written, and not before', async (t) => {
    const { site } = subject;
    t.is(await site.read('note'), undefined);
    const { version } = await site.write('note', { text: 'ä', list: [1, null] }, undefined);
    t.deepEqual(await site.read('note'), { value: { text: 'ä', list: [1, null] }, version });
  });

  test.serial('a record is changed only by who names its present version', async (t) => {
    const { site } = subject;
    const first = await site.write('count', 1, undefined);
    t.is(codeOf(await t.throwsAsync(site.write('count', 2, undefined))), 'ERR_CONFLICT');
    const second = await site.write('count', 2, first.version);
    t.is(codeOf(await t.throwsAsync(site.write('count', 3, first.version))), 'ERR_CONFLICT');
    t.deepEqual(await site.read('count'), second);
  });

  test.serial('of many who change one version of a record, one does', async (t) => {
    const { site } = subject;
    const { version } = await site.write('race', 0, undefined);
    const writes = await Promise.allSettled(
      [1, 2, 3, 4, 5, 6, 7, 8].map((value) => site.write('race', value, version)),
    );
    const [winner, ...others] = writes.filter(({ status }) => status === 'fulfilled');
    t.is(others.length, 0);
    t.deepEqual(await site.read('race'), winner?.status === 'fulfilled' ? winner.value : undefined);
  });

  test.serial('records are found by the beginning of their name', async (t) => {
    const { site } = subject;
    for (const name of ['list-a', 'list-b', 'other-list-c']) await site.write(name, {}, undefined);
    t.deepEqual((await site.list('list-')).toSorted(), ['list-a', 'list-b']);
    t.deepEqual(await site.list('nothing-'), []);
  });

  test.serial('a release that is started gets healthy, and no traffic', async (t) => {
    const { site } = subject;
    const r1 = releaseOf('r1');
    await site.start('production', r1);
    await site.start('production', r1);
    t.deepEqual(await settled(site, 'production', r1), { state: 'healthy' });
    t.is(await site.routed('production'), undefined);
    t.not((await site.ask('production', '/'))?.release, 'r1');
  });

  test.serial('the address leads to the release that it was led to, and each answer names it', async (t) => {
    const { site } = subject;
    await site.route('production', releaseOf('r1'), 1);
    t.true(await answers(site, 'production', 'r1'));
    t.is(await site.routed('production'), 'r1');
    t.is(await site.routed('testing'), undefined);
  });

  test.serial('the address is moved without a failed request', async (t) => {
    const { site } = subject;
    const r2 = releaseOf('r2');
    await site.start('production', r2);
    t.deepEqual(await settled(site, 'production', r2), { state: 'healthy' });
    let isMoving = true;
    const seen: string[] = [];
    const ask = async (): Promise<void> => {
      while (isMoving) {
        const answer = await site.ask('production', '/');
        seen.push(`${answer?.status ?? 'nothing'} ${answer?.release ?? ''}`);
      }
    };
    const clients = [ask(), ask(), ask()];
    await sleep(300);
    await site.route('production', r2, 2);
    t.true(await answers(site, 'production', 'r2'));
    await sleep(300);
    isMoving = false;
    await Promise.all(clients);
    t.deepEqual([...new Set(seen)].toSorted(), ['200 r1', '200 r2']);
  });

  test.serial('an old fence moves nothing', async (t) => {
    const { site } = subject;
    t.is(codeOf(await t.throwsAsync(site.route('production', releaseOf('r1'), 1))), 'ERR_FENCED');
    t.is(await site.routed('production'), 'r2');
    t.true(await answers(site, 'production', 'r2'));
    // The same fence again is the same holder.
    await site.route('production', releaseOf('r2'), 2);
  });

  test.serial('of a service that a release does not have nothing keeps the address', async (t) => {
    const { site } = subject;
    const r6 = releaseOf('r6', { name: 'web' });
    await site.start('production', r6);
    t.deepEqual(await settled(site, 'production', r6), { state: 'healthy' });
    await site.route('production', r6, 3);
    t.true(await answers(site, 'production', 'r6'));
    t.is(await site.routed('production'), 'r6');
    t.is(codeOf(await t.throwsAsync(site.route('production', releaseOf('r2'), 2))), 'ERR_FENCED');
    await site.route('production', releaseOf('r2'), 4);
    t.true(await answers(site, 'production', 'r2'));
    t.is(await site.routed('production'), 'r2');
  });

  test.serial('a release that ends at its start has failed, and its last lines say why', async (t) => {
    const { site } = subject;
    const r3 = releaseOf('r3', { env: { FAULT: 'exit' } });
    await site.start('production', r3);
    const health = await settled(site, 'production', r3);
    t.is(health.state, 'failed');
    t.regex('message' in health ? health.message : '', /api: .*exit code 3.*the table is not there/s);
    t.true(await answers(site, 'production', 'r2'));
  });

  test.serial('a release that does not answer is starting, and what it lacks is told', async (t) => {
    const { site } = subject;
    const r4 = releaseOf('r4', { env: { FAULT: 'silent' } });
    await site.start('production', r4);
    const health = await site.health('production', r4);
    t.is(health.state, 'starting');
    t.regex('message' in health ? health.message : '', /^api: ./);
  });

  test.serial('a release whose image is nowhere has failed', async (t) => {
    const { site } = subject;
    const nowhere = image.replace(/[0-9a-f]{64}$/, '0'.repeat(64));
    const r5 = releaseOf('r5', { image: nowhere });
    await site.start('production', r5);
    t.is((await settled(site, 'production', r5)).state, 'failed');
  });

  test.serial('a release that was never started has failed', async (t) => {
    t.is((await subject.site.health('production', releaseOf('r99'))).state, 'failed');
  });

  test.serial('only the releases that are kept stay, in that environment', async (t) => {
    const { site } = subject;
    const r1 = releaseOf('r1');
    await site.start('testing', r1);
    t.deepEqual(await settled(site, 'testing', r1), { state: 'healthy' });
    await site.keep('production', ['r2']);
    t.is((await site.health('production', r1)).state, 'failed');
    t.is((await site.health('production', releaseOf('r2'))).state, 'healthy');
    t.is((await site.health('testing', r1)).state, 'healthy');
    await site.keep('testing', []);
    t.is((await site.health('testing', r1)).state, 'failed');
  });

  test.serial('a task runs in the files of its release, and its end is told', async (t) => {
    const { site } = subject;
    const task = { group: 'look', timeoutMs: 60_000, signal: AbortSignal.timeout(120_000) };
    const script = 'ls server.mjs; echo "$SLUICE_RELEASE $SLUICE_ENVIRONMENT $OWN"';
    const env = { OWN: 'own' };
    t.deepEqual(await site.task('production', releaseOf('r2'), { ...task, env, name: 'look', script }), {
      exitCode: 0,
      output: 'server.mjs\nr2 production own',
    });
    const failing = { ...task, name: 'fail', script: 'echo bad >&2; false; echo never' };
    t.deepEqual(await site.task('production', releaseOf('r2'), failing), { exitCode: 1, output: 'bad' });
  });

  test.serial('a task of one name is done once, whoever asks and how often', async (t) => {
    const { site } = subject;
    const task = {
      timeoutMs: 60_000,
      signal: AbortSignal.timeout(120_000),
      group: 'once',
      name: 'once',
      script: 'date +%s%N; sleep 1',
    };
    const leaving = new AbortController();
    const left = site.task('production', releaseOf('r2'), { ...task, signal: leaving.signal });
    await sleep(200);
    leaving.abort();
    await t.throwsAsync(left);
    const both = await Promise.all([1, 2].map(() => site.task('production', releaseOf('r2'), task)));
    const again = await site.task('production', releaseOf('r2'), task);
    t.is(again.exitCode, 0);
    t.deepEqual(both, [again, again]);
  });

  test.serial('of one group one task runs at a time: the one before is ended first', async (t) => {
    const { site } = subject;
    const task = { group: 'one', timeoutMs: 60_000, signal: AbortSignal.timeout(120_000) };
    const leaving = new AbortController();
    const first = site.task('production', releaseOf('r2'), {
      ...task,
      signal: leaving.signal,
      name: 'one-1',
      script: 'exec sleep 300',
    });
    await sleep(500);
    leaving.abort();
    await t.throwsAsync(first);
    const begun = performance.now();
    const second = await site.task('production', releaseOf('r2'), { ...task, name: 'one-2', script: 'echo two' });
    t.deepEqual(second, { exitCode: 0, output: 'two' });
    t.true(performance.now() - begun < 60_000);
  });

  test.serial('the tasks of a group are ended when that is asked for, and none is no fault', async (t) => {
    const { site } = subject;
    const task = { group: 'ended', timeoutMs: 600_000, signal: AbortSignal.timeout(120_000) };
    const running = site.task('production', releaseOf('r2'), { ...task, name: 'ended-1', script: 'exec sleep 300' });
    await sleep(1_000);
    await site.endTasks('ended');
    t.not((await running).exitCode, 0);
    await site.endTasks('ended');
  });

  test.serial('a task that takes too long is ended', async (t) => {
    const { site } = subject;
    const task = {
      name: 'late',
      group: 'late',
      script: 'exec sleep 300',
      timeoutMs: 1_000,
      signal: AbortSignal.timeout(120_000),
    };
    t.not((await site.task('production', releaseOf('r2'), task)).exitCode, 0);
  });

  const standing = async (): Promise<OwnedPreview | undefined> => {
    const { site, previews } = subject;
    return (await previews.list()).find(({ backend }) => backend === site.backend.name);
  };

  test.serial('R003-7: a preview is an environment of its own beside testing and production', async (t) => {
    const site = await subject.preview(shown);
    const r1 = releaseOf('r1');
    await site.start(shown.environment, r1);
    t.deepEqual(await settled(site, shown.environment, r1), { state: 'healthy' });
    await site.route(shown.environment, r1, 1);
    t.true(await answers(site, shown.environment, 'r1'));
    t.is(await site.routed('production'), 'r2');
    t.is(await site.routed('testing'), undefined);
    t.is(new Set([site.url(shown.environment), site.url('testing'), site.url('production')]).size, 3);
    t.like(await standing(), { environment: shown.environment, branch: 'login', pullRequest: 7, ttlMs: 3_600_000 });
  });

  test.serial('as many previews are made as the backend may have', async (t) => {
    const another: Preview = { ...shown, environment: 'preview-pr-8', pullRequest: 8 };
    const refused = await t.throwsAsync(subject.preview(another), {
      message: /as many previews as it may have, 1: those of #7/,
    });
    t.is(codeOf(refused), 'ERR_CONFLICT');
    t.like(await standing(), { pullRequest: 7 });
  });

  test.serial('a preview in which a run has begun since somebody looked at it is not removed', async (t) => {
    const looked = await standing();
    if (looked === undefined) return t.fail('there is no preview');
    await sleep(5);
    const site = await subject.preview(shown);
    t.false(await subject.previews.remove(looked));
    t.true(await answers(site, shown.environment, 'r1'));
  });

  test.serial(
    'a preview that is removed has no app, no address and no word on record, and is made anew by its next run',
    async (t) => {
      const looked = await standing();
      if (looked === undefined) return t.fail('there is no preview');
      t.true(await subject.previews.remove(looked));
      t.is(await standing(), undefined);
      t.false(await subject.previews.remove(looked));
      const { site: before } = subject;
      t.true(await answers(before, 'production', 'r2'));
      const site = await subject.preview(shown);
      t.is(await site.routed(shown.environment), undefined);
      t.is((await site.health(shown.environment, releaseOf('r1'))).state, 'failed');
      t.not((await site.ask(shown.environment, '/'))?.release, 'r1');
      const r2 = releaseOf('r2');
      await site.start(shown.environment, r2);
      t.deepEqual(await settled(site, shown.environment, r2), { state: 'healthy' });
      await site.route(shown.environment, r2, 1);
      t.true(await answers(site, shown.environment, 'r2'));
    },
  );
}
