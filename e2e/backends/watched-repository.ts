import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { bodyOf, githubPull } from '../../runner/triggers/delivery-fixture.ts';
import { announce, deliver, Place } from '../server/served.ts';
import type { Hook } from '../server/served.ts';
import { copyPackage } from './copy-package.ts';

const app = fileURLToPath(new URL('apps/node', import.meta.url));

const seed = `import pg from 'pg';
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query("INSERT INTO tasks (title) VALUES ('seeded')");
await client.end();
`;

export interface RunReport {
  readonly outcome: string;
  readonly reason?: string;
  readonly steps: readonly { readonly id: string; readonly outcome: string; readonly message?: string }[];
}

/** The app of the tests with previews, in a repository that a server looks at once a second. */
export class WatchedRepository {
  readonly place: Place;
  readonly pipeline: string;
  readonly #hook: Hook;
  readonly #backend: string;
  #runs = 0;
  #last = '';

  private constructor(place: Place, backend: string, pipeline: string, hook: Hook) {
    this.place = place;
    this.#backend = backend;
    this.pipeline = pipeline;
    this.#hook = hook;
  }

  /** `backend` is its name. */
  static async open(
    t: ExecutionContext,
    backend: string,
    variables: NodeJS.ProcessEnv = {},
  ): Promise<WatchedRepository> {
    const place = await Place.open(t, { SLUICE_POLL_SECONDS: '1', ...variables });
    const work = join(place.folder, 'work');
    cpSync(app, work, { recursive: true });
    copyPackage('pg', join(work, 'node_modules'));
    const url = join(place.folder, 'shop.git');
    const hook = (await place.sluice('repository', 'add', 'shop', '--forge', 'gitea', '--url', url)) as Hook;
    return new WatchedRepository(place, backend, pipelineOf(join(work, 'sluice.yaml'), backend), hook);
  }

  /** Pushes the app to main, starts the server, and answers the first run, of which the forge told. */
  async begin(): Promise<RunReport> {
    const server = readFileSync(join(this.place.folder, 'work', 'server.js'), 'utf8');
    const told = server.replace("'GET /tasks'", "'GET /mail': async () => [200, process.env.MAIL],\n  'GET /tasks'");
    const commit = await this.push('main', { 'sluice.yaml': this.pipeline, 'seed.js': seed, 'server.js': told });
    await this.place.serve();
    await announce(this.place.url, this.#hook, commit);
    return this.next();
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

  /** What became of pull request 5, as Gitea tells it. */
  async tellOfPull(action: 'opened' | 'closed', branch: string, commit: string): Promise<void> {
    const pull = githubPull.pull_request;
    const head = { ...pull.head, ref: branch, sha: commit };
    const body = bodyOf({ ...githubPull, action, pull_request: { ...pull, head } });
    const response = await deliver(this.place.url, this.#hook, 'pull_request', new Uint8Array(body));
    if (!response.ok) throw new Error(`the server says ${response.status} ${await response.text()}`);
  }

  /** Nobody tells the server. */
  async deleteBranch(branch: string): Promise<void> {
    await this.place.git('push', '-q', join(this.place.folder, 'shop.git'), `:${branch}`);
  }

  /** The next run that the pipeline wants, once it has ended. */
  async next(): Promise<RunReport> {
    this.#runs += 1;
    for (;;) {
      const wanted = (await this.place.ended(this.#runs)).filter(({ reason }) => reason !== 'not_triggered');
      this.#last = wanted[0]?.runId ?? '';
      if (wanted.length < this.#runs) await sleep(200);
      else return (await this.place.sluice('show', this.#last)) as RunReport;
    }
  }

  /** What `sluice backend show` tells of each preview: its name, its branch, the release that it shows, and how its database is. */
  async previews(): Promise<readonly (readonly (string | undefined)[])[]> {
    const { previews } = (await this.place.sluice('backend', 'show', this.#backend)) as {
      readonly previews: readonly Readonly<Record<string, string>>[];
    };
    return previews.map((shown) => [shown['environment'], shown['branch'], shown['routed'], shown['database']]);
  }

  /** Of a step of the run that `next` answered last. */
  log(step: string): Promise<string> {
    return this.place.text('logs', this.#last, step);
  }
}

/** What the log of a migration says that adds a column to the table of the app. */
export const triedOnProduction =
  /on a copy of the schema of production:\n(.*\n)*.*ALTER TABLE public\.tasks.*AccessExclusiveLock on public\.tasks/;

/** What an assertion shows of a run that ended otherwise than it should. */
export function verdictsOf({ steps }: RunReport): string {
  return steps.map(({ id, outcome, message = '' }) => `${id} ${outcome} ${message}`).join('\n');
}

function pipelineOf(file: string, backend: string): string {
  const changes = [
    ['${BACKEND}', backend],
    ['on: { push: { branches: [main] } }', 'on: { push: { branches: [main, "feature/**"] }, pull_request: }'],
    ['health: /healthz }', 'health: /healthz, env: { MAIL: smtp } }'],
    [
      'database: { engine: postgres }',
      'database: { engine: postgres, seed: node seed.js }\n  previews: { branches: ["feature/**"], pull_requests: true, max: 1, env: { MAIL: console } }',
    ],
    ['promote: { uses: promote', `promote: { uses: promote, if: "branch == 'main'"`],
  ] as const;
  return changes.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`the pipeline has no ${from}`);
      return text.replace(from, to);
    },
    readFileSync(file, 'utf8'),
  );
}
