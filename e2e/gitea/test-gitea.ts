import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext, Implementation } from 'ava';

const { CI, E2E_GITEA } = process.env;

/** A test that needs a Gitea. Without one it is skipped, except in CI, where it fails. */
export function giteaTest(title: string, implementation: Implementation<[]>): void {
  if (E2E_GITEA === undefined && CI !== 'true') test.skip(title, implementation);
  else test(title, implementation);
}

/** A repository on the Gitea, as its API describes it. */
export interface GiteaRepository {
  readonly id: number;
  readonly full_name: string;
  readonly clone_url: string;
}

export interface GiteaStatus {
  readonly context: string;
  readonly status: string;
  readonly description: string;
  readonly target_url: string;
}

/** The Gitea that `npm run test:e2e` brings, as seen by one of its users: its administrator unless another is given. */
export class Gitea {
  readonly #url: URL;

  constructor(url = E2E_GITEA ?? '') {
    this.#url = new URL(url);
  }

  /** As in an address: name and port. */
  get host(): string {
    return this.#url.host;
  }

  get name(): string {
    return this.#url.username;
  }

  /** A new user, without rights on anything. */
  async newUser(): Promise<Gitea> {
    const [username, password] = [unique('user'), randomBytes(12).toString('hex')];
    const user = { username, password, email: `${username}@example.test`, must_change_password: false };
    await this.call('POST', 'admin/users', user);
    const url = new URL(this.#url);
    [url.username, url.password] = [username, password];
    return new Gitea(url.href);
  }

  newToken(): Promise<string> {
    const wanted = { name: unique('token'), scopes: ['write:repository'] };
    return this.call<{ readonly sha1: string }>('POST', `users/${this.name}/tokens`, wanted).then(({ sha1 }) => sha1);
  }

  newRepository(): Promise<GiteaRepository> {
    return this.call('POST', 'user/repos', { name: unique('orders'), default_branch: 'main' });
  }

  fork({ full_name }: GiteaRepository): Promise<GiteaRepository> {
    return this.call('POST', `repos/${full_name}/forks`, {});
  }

  async addHook({ full_name }: GiteaRepository, url: string, secret: string): Promise<void> {
    const config = { url, content_type: 'json', secret };
    const events = ['push', 'create', 'delete', 'pull_request', 'pull_request_sync'];
    await this.call('POST', `repos/${full_name}/hooks`, { type: 'gitea', config, events, active: true });
  }

  /** Gitea knows a branch a moment after it was pushed. */
  async openPull({ full_name }: GiteaRepository, head: string, base: string): Promise<void> {
    const open = () => this.call('POST', `repos/${full_name}/pulls`, { head, base, title: `Merge ${head}` });
    for (let tries = 0; tries < 50; tries++) {
      const opened = await open().then(
        () => true,
        (error: unknown) => {
          if (error instanceof Error && error.message.includes(' 404 ')) return false;
          throw error;
        },
      );
      if (opened) return;
      await sleep(200);
    }
    await open();
  }

  async closePull({ full_name }: GiteaRepository, number: number): Promise<void> {
    await this.call('PATCH', `repos/${full_name}/pulls/${number}`, { state: 'closed' });
  }

  statuses({ full_name }: GiteaRepository, commit: string): Promise<readonly GiteaStatus[]> {
    return this.call('GET', `repos/${full_name}/commits/${commit}/statuses`);
  }

  /** Where this user clones from and pushes to, with name and password. */
  address({ full_name }: GiteaRepository): string {
    return new URL(`${full_name}.git`, this.#url).href;
  }

  /** Clones into a folder that is gone with the test; `git push` there goes to this user's clone address. */
  async clone(t: ExecutionContext, repository: GiteaRepository): Promise<WorkingCopy> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-gitea-clone-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const copy = new WorkingCopy(folder);
    await copy.git('clone', '--quiet', this.address(repository), '.');
    await copy.git('symbolic-ref', 'HEAD', 'refs/heads/main').catch(() => 'it is not empty');
    return copy;
  }

  async call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const { origin, username, password } = this.#url;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const response = await fetch(`${origin}/api/v1/${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  }
}

export class WorkingCopy {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async git(...args: readonly string[]): Promise<string> {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.test'];
    const { stdout } = await promisify(execFile)('git', [...identity, ...args], { cwd: this.#folder });
    return stdout.trim();
  }

  /** Commits one file and answers the commit. */
  async commit(file: string, message: string): Promise<string> {
    await writeFile(join(this.#folder, file), message);
    await this.git('add', file);
    await this.git('commit', '--quiet', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }
}

function unique(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}
