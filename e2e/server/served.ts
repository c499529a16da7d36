import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';

const launcher = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));

export interface RunRow {
  readonly runId: string;
  readonly phase: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly commit: string;
  readonly priority: number;
}

/** A bare repository, a data folder, and servers on it that a test may kill. */
export class Place {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly #program: string;
  #server: ChildProcess | undefined;
  url = '';

  private constructor(folder: string, environment: NodeJS.ProcessEnv, program: string) {
    this.folder = folder;
    this.environment = environment;
    this.#program = program;
  }

  /** `program` is the file of JavaScript that Node is given: the sources, unless it is another build. */
  static async open(
    t: Pick<ExecutionContext, 'teardown'>,
    variables: NodeJS.ProcessEnv = {},
    program: string = launcher,
  ): Promise<Place> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-served-'));
    const environment = { ...process.env, SLUICE_HOME: join(folder, 'home'), NO_COLOR: '1', ...variables };
    const place = new Place(folder, environment, program);
    t.teardown(async () => {
      await place.kill();
      await rm(folder, { recursive: true, force: true });
    });
    await mkdir(join(folder, 'work'));
    await place.git('init', '-q', '--bare', '-b', 'main', join(folder, 'shop.git'));
    await place.git('init', '-q', '-b', 'main', join(folder, 'work'));
    return place;
  }

  async git(...args: readonly string[]): Promise<string> {
    const identity = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com'];
    return (await promisify(execFile)('git', [...identity, ...args], { cwd: join(this.folder, 'work') })).stdout.trim();
  }

  /** Commits the pipeline, pushes it, and answers the commit. */
  async push(yaml: string): Promise<string> {
    await writeFile(join(this.folder, 'work', 'sluice.yaml'), yaml);
    await this.git('add', '.');
    await this.git('commit', '-q', '--allow-empty', '-m', 'a change');
    await this.git('push', '-q', join(this.folder, 'shop.git'), 'HEAD:refs/heads/main');
    return this.git('rev-parse', 'HEAD');
  }

  async sluice(...args: readonly string[]): Promise<unknown> {
    const { stdout } = await promisify(execFile)(process.execPath, [this.#program, '--json', ...args], {
      env: this.environment,
    });
    return JSON.parse(stdout);
  }

  /** What people read. */
  async text(...args: readonly string[]): Promise<string> {
    return (await promisify(execFile)(process.execPath, [this.#program, ...args], { env: this.environment })).stdout;
  }

  async serve(): Promise<void> {
    const log = await open(join(this.folder, 'server.log'), 'a');
    const server = spawn(
      process.execPath,
      [this.#program, '--json', 'serve', '--listen', '127.0.0.1:0', '--grace', '5'],
      {
        env: this.environment,
        stdio: ['ignore', 'pipe', log.fd],
      },
    );
    await log.close();
    this.#server = server;
    const { stdout } = server;
    if (!stdout) throw new Error('The server has no output.');
    const [line] = (await Promise.race([once(stdout, 'data'), once(server, 'exit')])) as [unknown];
    if (!Buffer.isBuffer(line)) throw new Error(`The server did not start: ${await this.log()}`);
    this.url = (JSON.parse(line.toString()) as { readonly url: string }).url;
  }

  /** What the servers wrote to their error stream. */
  log(): Promise<string> {
    return readFile(join(this.folder, 'server.log'), 'utf8');
  }

  /** The same, once it has what is looked for: a server writes after the deed. What is not there in half a minute does not come. */
  async logWith(text: string): Promise<string> {
    const end = Date.now() + 30_000;
    for (;;) {
      const log = await this.log();
      if (log.includes(text) || Date.now() > end) return log;
      await sleep(100);
    }
  }

  /** Of the server that answers now. */
  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.#server?.exitCode === null && this.#server.signalCode === null;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server?.exitCode !== null || server.signalCode !== null) return;
    server.kill(signal);
    await once(server, 'exit');
  }

  async runs(): Promise<readonly RunRow[]> {
    return ((await this.sluice('runs')) as { readonly runs: readonly RunRow[] }).runs;
  }

  /** Every run, once all have ended. */
  async ended(count: number): Promise<readonly RunRow[]> {
    for (;;) {
      const runs = await this.runs();
      if (runs.length >= count && runs.every(({ phase }) => phase === 'finished')) return runs;
      await sleep(200);
    }
  }
}

export interface Hook {
  readonly hook: string;
  readonly secret: string;
}

/** A push as Gitea announces it, signed. */
export async function announce(
  url: string,
  { hook, secret }: Hook,
  commit: string,
  changes: {
    readonly delivery?: string;
    readonly secret?: string;
    readonly repositoryId?: number;
    readonly before?: string;
    readonly ref?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<{ readonly status: number; readonly body: unknown }> {
  const payload = JSON.stringify({
    ref: changes.ref ?? 'refs/heads/main',
    before: changes.before ?? '0'.repeat(40),
    after: commit,
    commits: [{ id: commit, message: 'a change', added: ['sluice.yaml'], removed: [], modified: [] }],
    total_commits: 1,
    head_commit: { id: commit, message: 'a change' },
    repository: {
      id: changes.repositoryId ?? 7,
      full_name: 'ada/shop',
      clone_url: 'http://x/shop.git',
      html_url: 'http://x/shop',
    },
    pusher: { id: 11, login: 'ada' },
    sender: { id: 11, login: 'ada' },
  });
  const known = { hook, secret: changes.secret ?? secret };
  const response = await deliver(url, known, 'push', payload, changes.delivery, changes.headers);
  return { status: response.status, body: await response.json() };
}

/** A payload as Gitea sends it, signed. */
export function deliver(
  url: string,
  { hook, secret }: Hook,
  event: 'push' | 'pull_request',
  payload: string | Uint8Array<ArrayBuffer>,
  delivery: string = randomUUID(),
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${url}${hook}`, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      'x-gitea-event': event,
      'x-gitea-delivery': delivery,
      'x-gitea-signature': createHmac('sha256', secret).update(payload).digest('hex'),
    },
    body: payload,
  });
}
