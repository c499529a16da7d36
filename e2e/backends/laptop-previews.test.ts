import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { databaseFolder } from '../../runner/environments/local/database-folder.ts';
import type { Place } from '../server/served.ts';
import { triedOnProduction, verdictsOf, WatchedRepository } from './watched-repository.ts';

interface Environment {
  readonly environment: string;
  readonly url: string;
}

async function environmentsOf(place: Place): Promise<readonly Environment[]> {
  return ((await place.sluice('environments', 'list')) as { environments: readonly Environment[] }).environments;
}

async function namesOf(place: Place): Promise<readonly string[]> {
  return (await environmentsOf(place)).map(({ environment }) => environment).toSorted();
}

async function ask(place: Place, environment: RegExp, path: string): Promise<string> {
  const found = (await environmentsOf(place)).find((each) => environment.test(each.environment));
  const answer = await fetch(new URL(path, found?.url));
  return `${answer.headers.get('sluice-release') ?? ''} ${await answer.text()}`;
}

/** Until no preview is left, and nothing of one on disk. */
async function untilGone(place: Place): Promise<void> {
  const folder = join(place.folder, 'home', 'environments');
  const files = (): readonly string[] =>
    ['secrets', 'backends/tasks/logs', 'backends/tasks/records'].flatMap((part) => readdirSync(join(folder, part)));
  while ([...(await namesOf(place)), ...files()].some((name) => name.includes('preview-'))) await sleep(200);
}

test.serial(
  'E9, R003-7, R003-15, R003-26, R003-30: on a laptop a branch has a preview with its own data, merged it goes to production, and what nobody tells is found',
  async (t) => {
    t.timeout(600_000);
    const repository = await WatchedRepository.open(t, 'tasks');
    const { place, pipeline } = repository;
    t.teardown(async () => {
      await place.sluice('environments', 'stop');
      rmSync(databaseFolder(join(place.folder, 'home', 'environments')), { recursive: true, force: true });
    });
    const released = await repository.begin();
    t.is(released.outcome, 'succeeded', verdictsOf(released));
    const testing = await ask(place, /^testing$/, '/tasks');

    await place.git('switch', '-q', '-c', 'feature/login');
    await repository.push('feature/login', { 'schema/002-done.sql': 'ALTER TABLE tasks ADD COLUMN done boolean;\n' });
    const shown = await repository.next();
    t.is(shown.outcome, 'succeeded', verdictsOf(shown));
    t.is(shown.steps.find(({ id }) => id === 'promote')?.outcome, 'skipped');
    t.regex(await repository.log('migrate/apply'), triedOnProduction, 'production is what the migration is tried on');
    const [preview = ''] = await namesOf(place);
    t.regex(preview, /^preview-feature-login-[a-p]{7}$/);
    t.deepEqual(await namesOf(place), [preview, 'production', 'testing']);
    t.regex(await ask(place, /^preview-/, '/tasks'), /^r2 .*"title":"seeded","done":null/);
    t.is(await ask(place, /^preview-/, '/mail'), 'r2 "console"');
    t.deepEqual(await repository.previews(), [[preview, 'feature/login', 'r2', 'ready']]);
    t.regex(await place.text('backend', 'show', 'tasks'), /^ {4}of branch feature\/login; last used .*Z, ends .*Z$/m);
    t.is(await ask(place, /^testing$/, '/tasks'), testing, 'testing has not changed');
    t.is(await ask(place, /^production$/, '/tasks'), 'r1 []');

    // One preview is all that the backend may have.
    await repository.push('feature/other', {});
    const refused = await repository.next();
    t.not(refused.outcome, 'succeeded');
    t.regex(
      verdictsOf(refused),
      /has as many previews as it may have, 1: those of feature\/login\. Close a pull request/,
    );

    // Merged: made anew, tested on the way, and without what is for previews.
    await place.git('switch', '-q', 'main');
    await place.git('merge', '-q', 'feature/login');
    await repository.push('main', {});
    const merged = await repository.next();
    t.is(merged.outcome, 'succeeded', verdictsOf(merged));
    t.is(await ask(place, /^production$/, '/mail'), 'r3 "smtp"');

    await repository.deleteBranch('feature/login');
    await untilGone(place);
    t.regex(await place.logWith('its branch is gone'), /a preview was removed.*its branch is gone/);

    // Its branch stays, and its time ends.
    await repository.push('feature/other', { 'sluice.yaml': pipeline.replace('max: 1', 'ttl: 1s, max: 1') });
    const short = await repository.next();
    t.is(short.outcome, 'succeeded', verdictsOf(short));
    await untilGone(place);
    t.regex(await place.logWith('its time is over'), /a preview was removed.*its time is over/);

    // A branch that has none by its name has one by its pull request, until that is closed. The branch stays.
    const commit = await repository.push('mend', { 'sluice.yaml': pipeline });
    await repository.tellOfPull('opened', 'mend', commit);
    const proposed = await repository.next();
    t.is(proposed.outcome, 'succeeded', verdictsOf(proposed));
    t.regex(await ask(place, /^preview-pr-5$/, '/tasks'), /"title":"seeded"/);
    await repository.tellOfPull('closed', 'mend', commit);
    await untilGone(place);
    t.regex(await place.logWith('its pull request was closed'), /a preview was removed.*its pull request was closed/);

    // Whoever leaves the condition out is told before anything is done.
    await repository.push('feature/bold', { 'sluice.yaml': pipeline.replace(`, if: "branch == 'main'"`, '') });
    const bold = await repository.next();
    t.is(bold.reason, 'pipeline_invalid');
    t.regex(JSON.stringify(bold), /would promote `preview-feature-bold-[a-p]{7}`, the preview of `feature\/bold`/);
    t.deepEqual(await namesOf(place), ['production', 'testing']);
  },
);
