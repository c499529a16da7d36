import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { databaseFolder } from '../../runner/environments/local/database-folder.ts';
import { announce, Place } from '../server/served.ts';
import type { Hook } from '../server/served.ts';
import { copyPackage } from './copy-package.ts';

const app = fileURLToPath(new URL('apps/node', import.meta.url));
const seed = `import pg from 'pg';
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query("INSERT INTO tasks (title) VALUES ('seeded')");
await client.end();
`;

interface Environment {
  readonly environment: string;
  readonly url: string;
  readonly routed?: string;
}

interface Report {
  readonly outcome: string;
  readonly steps: readonly { readonly id: string; readonly outcome: string; readonly message?: string }[];
}

/** A server on a laptop that looks at the refs and previews once a second. */
class Laptop {
  readonly place: Place;
  readonly hook: Hook;
  #runs = 0;

  private constructor(place: Place, hook: Hook) {
    this.place = place;
    this.hook = hook;
  }

  static async open(t: ExecutionContext): Promise<Laptop> {
    const place = await Place.open(t, { SLUICE_POLL_SECONDS: '1' });
    t.teardown(async () => {
      await place.sluice('environments', 'stop');
      rmSync(databaseFolder(join(place.folder, 'home', 'environments')), { recursive: true, force: true });
    });
    const work = join(place.folder, 'work');
    cpSync(app, work, { recursive: true });
    copyPackage('pg', join(work, 'node_modules'));
    const url = join(place.folder, 'shop.git');
    const hook = (await place.sluice('repository', 'add', 'shop', '--forge', 'gitea', '--url', url)) as Hook;
    return new Laptop(place, hook);
  }

  read(file: string): string {
    return readFileSync(join(this.place.folder, 'work', file), 'utf8');
  }

  /** Commits changes and pushes them to a branch; nobody tells the server. */
  async push(branch: string, changes: Readonly<Record<string, string>>): Promise<string> {
    const { place } = this;
    for (const [file, text] of Object.entries(changes)) writeFileSync(join(place.folder, 'work', file), text);
    await place.git('add', '--all', '--force', '.');
    await place.git('commit', '-q', '--allow-empty', '-m', 'a change');
    await place.git('push', '-q', join(place.folder, 'shop.git'), `HEAD:refs/heads/${branch}`);
    return place.git('rev-parse', 'HEAD');
  }

  /** The next run, once it has ended. */
  async next(): Promise<Report> {
    this.#runs += 1;
    await this.place.ended(this.#runs);
    return (await this.place.sluice('show', 'latest')) as Report;
  }

  async environments(): Promise<readonly Environment[]> {
    return ((await this.place.sluice('environments', 'list')) as { environments: readonly Environment[] }).environments;
  }

  async names(): Promise<readonly string[]> {
    return (await this.environments()).map(({ environment }) => environment).toSorted();
  }

  async ask(environment: RegExp, path: string): Promise<string> {
    const found = (await this.environments()).find((each) => environment.test(each.environment));
    const answer = await fetch(new URL(path, found?.url));
    return `${answer.headers.get('sluice-release') ?? ''} ${await answer.text()}`;
  }

  /** Until the preview is gone, with everything that it had on disk. */
  async untilGone(): Promise<void> {
    const folder = join(this.place.folder, 'home', 'environments');
    const files = (): readonly string[] =>
      ['secrets', 'backends/tasks/logs', 'backends/tasks/records'].flatMap((part) => readdirSync(join(folder, part)));
    while ([...(await this.names()), ...files()].some((name) => name.includes('preview-'))) await sleep(200);
  }
}

const verdicts = ({ steps }: Report): string =>
  steps.map(({ id, outcome, message = '' }) => `${id} ${outcome} ${message}`).join('\n');

test.serial(
  'E9, R003-7, R003-15, R003-26, R003-30: a branch has a preview with its own data; merged it goes to production; what nobody tells is found',
  async (t) => {
    t.timeout(600_000);
    const laptop = await Laptop.open(t);
    const pipeline = laptop
      .read('sluice.yaml')
      .replace('${BACKEND}', 'tasks')
      .replace('branches: [main]', 'branches: ["**"]')
      .replace('health: /healthz }', 'health: /healthz, env: { MAIL: smtp } }')
      .replace(
        'database: { engine: postgres }',
        'database: { engine: postgres, seed: node seed.js }\n  previews: { branches: ["feature/**"], max: 1, env: { MAIL: console } }',
      )
      .replace('promote: { uses: promote', `promote: { uses: promote, if: "branch == 'main'"`);
    const server = laptop
      .read('server.js')
      .replace("'GET /tasks'", "'GET /mail': async () => [200, process.env.MAIL],\n  'GET /tasks'");
    const first = await laptop.push('main', { 'sluice.yaml': pipeline, 'seed.js': seed, 'server.js': server });
    await laptop.place.serve();
    await announce(laptop.place.url, laptop.hook, first);
    const released = await laptop.next();
    t.is(released.outcome, 'succeeded', verdicts(released));
    const testing = await laptop.ask(/^testing$/, '/tasks');

    await laptop.place.git('switch', '-q', '-c', 'feature/login');
    await laptop.push('feature/login', { 'schema/002-done.sql': 'ALTER TABLE tasks ADD COLUMN done boolean;\n' });
    const shown = await laptop.next();
    t.is(shown.outcome, 'succeeded', verdicts(shown));
    t.is(shown.steps.find(({ id }) => id === 'promote')?.outcome, 'skipped');
    const [preview = ''] = await laptop.names();
    t.regex(preview, /^preview-feature-login-[a-p]{7}$/);
    t.deepEqual(await laptop.names(), [preview, 'production', 'testing']);
    t.regex(await laptop.ask(/^preview-/, '/tasks'), /^r2 .*"title":"seeded","done":null/);
    t.is(await laptop.ask(/^preview-/, '/mail'), 'r2 "console"');
    t.is(await laptop.ask(/^testing$/, '/tasks'), testing, 'testing has not changed');
    t.is(await laptop.ask(/^production$/, '/tasks'), 'r1 []');

    // One preview is all that the backend may have.
    await laptop.push('feature/other', {});
    const refused = await laptop.next();
    t.not(refused.outcome, 'succeeded');
    t.regex(
      verdicts(refused),
      /has as many previews as it may have, 1: those of feature\/login\. Close a pull request/,
    );

    // Merged: made anew, tested on the way, and without what is for previews.
    await laptop.place.git('switch', '-q', 'main');
    await laptop.place.git('merge', '-q', 'feature/login');
    await laptop.push('main', {});
    const merged = await laptop.next();
    t.is(merged.outcome, 'succeeded', verdicts(merged));
    t.is(await laptop.ask(/^production$/, '/mail'), `r3 "smtp"`);

    // Nobody tells that the branch is deleted.
    await laptop.place.git('push', '-q', join(laptop.place.folder, 'shop.git'), ':feature/login');
    await laptop.untilGone();
    t.regex(await laptop.place.log(), /a preview was removed.*its branch is gone/);

    // Its branch stays, and its time ends.
    await laptop.push('feature/other', { 'sluice.yaml': pipeline.replace('max: 1', 'ttl: 1s, max: 1') });
    const short = await laptop.next();
    t.is(short.outcome, 'succeeded', verdicts(short));
    await laptop.untilGone();
    t.regex(await laptop.place.log(), /a preview was removed.*its time is over/);

    // Whoever leaves the condition out is told before anything is done.
    await laptop.push('feature/bold', { 'sluice.yaml': pipeline.replace(`, if: "branch == 'main'"`, '') });
    const bold = (await laptop.next()) as Report & { readonly message?: string; readonly reason?: string };
    t.is(bold.reason, 'pipeline_invalid');
    t.regex(JSON.stringify(bold), /would promote `preview-feature-bold-[a-p]{7}`, the preview of `feature\/bold`/);
    t.deepEqual(await laptop.names(), ['production', 'testing']);
  },
);
