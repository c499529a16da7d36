import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext, Implementation } from 'ava';
import type { Evidence, Release } from '../../runner/environments/release.ts';
import type { Production } from '../../runner/gates/production.ts';
import { imageOf, kubectl } from '../cluster/test-cluster.ts';
import { askGateway, domain } from './ask-gateway.ts';
import { copyPackage } from './copy-package.ts';
import type { Answer } from './ask-gateway.ts';

const { CI, E2E_IMAGES, E2E_GATEWAY } = process.env;
const sluice = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
const apps = fileURLToPath(new URL('apps/', import.meta.url));
const runtimes = ['agent', 'sluice', 'api-tests', 'postgres', 'node-24', 'python-3.11', 'busybox', 'buildah'];

/** A test that needs a cluster with a gateway. Without them it is skipped, except in CI, where it fails. They come one after the other: each fills the node. */
export function backendTest(title: string, implementation: Implementation<[]>): void {
  if ((E2E_IMAGES === undefined || E2E_GATEWAY === undefined) && CI !== 'true') test.skip(title, implementation);
  else test.serial(title, implementation);
}

export interface StepReport {
  readonly id: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly attempts: readonly { readonly startedAt: number; readonly finishedAt?: number }[];
  readonly outputs: Readonly<Record<string, string>>;
}

export interface Report {
  readonly runId: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly hint?: string;
  readonly createdAt: number;
  readonly finishedAt?: number;
  readonly steps: readonly StepReport[];
}

interface DeploymentObject {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

/** Texts of files by path; undefined deletes one. */
export type Changes = Readonly<Record<string, string | undefined>>;

/** How pods and nodes name the registry of the tests. */
export function inPods(reference: string): string {
  return reference.replace(/^localhost:5000(?=\/|$)/, 'registry.sluice.test:5000');
}

const registry = (): string => imageOf('sluice').replace(/\/.*$/, '');

/** The configuration of a runner whose backends are on the cluster of the tests. */
export function environmentOnCluster(): NodeJS.ProcessEnv {
  const images = runtimes.map((image) => `${image}=${inPods(imageOf(image))}`);
  return {
    SLUICE_EXECUTOR: 'kubernetes',
    SLUICE_NAMESPACE: 'default',
    SLUICE_IMAGES: images.join(' '),
    SLUICE_DOMAIN: domain,
    SLUICE_GATEWAY: 'gateway/public',
    SLUICE_GATEWAY_URL: E2E_GATEWAY,
    SLUICE_REGISTRY: inPods(registry()),
    SLUICE_PLAIN_HTTP_REGISTRIES: inPods(registry()),
    SLUICE_BUILDS: 'baseline',
  };
}

/** A small real app in a Git repository, its namespace, and the command line that deploys it. */
export class TestBackend {
  readonly name: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Nothing of it is older, ms since 1970. */
  readonly openedAt = Date.now();

  private constructor(name: string, folder: string) {
    this.name = name;
    this.folder = folder;
    this.env = { ...process.env, NO_COLOR: '1', SLUICE_HOME: join(folder, 'home'), ...environmentOnCluster() };
  }

  /** Named anew each time; namespace and volumes are gone with the test. */
  static async open(t: ExecutionContext, app: 'node' | 'python', changes: Changes = {}): Promise<TestBackend> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-backend-'));
    const backend = new TestBackend(`${app}-${randomBytes(4).toString('hex')}`, folder);
    t.teardown(async () => {
      await kubectl(['delete', 'namespace', backend.name, '--ignore-not-found', '--timeout=120s']);
      rmSync(folder, { recursive: true, force: true });
    });
    cpSync(join(apps, app), backend.repository, { recursive: true });
    if (app === 'node') copyPackage('pg', join(backend.repository, 'node_modules'));
    await backend.git('init', '-q', '-b', 'main');
    await backend.commit({ 'sluice.yaml': backend.pipeline(), ...changes });
    return backend;
  }

  /** The same commit once more, as another machine has it: another folder, files of now, and nothing known of earlier runs. */
  async checkOutAgain(): Promise<TestBackend> {
    const other = new TestBackend(this.name, join(this.folder, 'again'));
    await this.git('clone', '-q', this.repository, other.repository);
    return other;
  }

  get repository(): string {
    return join(this.folder, this.name);
  }

  /** The pipeline of the app, for this backend, with one text put in the place of another. */
  pipeline(...replaced: readonly (readonly [from: string, to: string])[]): string {
    const found = readFileSync(join(apps, this.name.replace(/-[^-]+$/, ''), 'sluice.yaml'), 'utf8');
    return [['${BACKEND}', this.name] as const, ...replaced].reduce((text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`the pipeline has no ${from}`);
      return text.replaceAll(from, to);
    }, found);
  }

  read(file: string): string {
    return readFileSync(join(this.repository, file), 'utf8');
  }

  async git(...args: readonly string[]): Promise<string> {
    const identity = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com'];
    return (await promisify(execFile)('git', [...identity, ...args], { cwd: this.repository })).stdout.trim();
  }

  /** Commits changes and answers the commit. */
  async commit(changes: Changes): Promise<string> {
    for (const [file, content] of Object.entries(changes)) {
      const path = join(this.repository, file);
      mkdirSync(dirname(path), { recursive: true });
      if (content === undefined) rmSync(path);
      else writeFileSync(path, content);
    }
    await this.git('add', '--all', '--force', '.');
    await this.git('commit', '-q', '--allow-empty', '-m', 'a change');
    return this.git('rev-parse', 'HEAD');
  }

  /** Starts the command line in the repository. */
  begin(...args: readonly string[]): Running {
    return new Running(spawn(process.execPath, [sluice, ...args, '--json'], { cwd: this.repository, env: this.env }));
  }

  /** A run of what was committed last, to its end. */
  run(): Promise<Report> {
    return this.begin('run').report();
  }

  resume(run: string): Promise<Report> {
    return this.begin('resume', run).report();
  }

  async log(run: string, step: string): Promise<string> {
    return (
      await promisify(execFile)(process.execPath, [sluice, 'logs', run, step], { cwd: this.repository, env: this.env })
    ).stdout;
  }

  ask(path: string, { method = 'GET', body = '', testing = false } = {}): Promise<Answer> {
    return askGateway(`${testing ? 'test.' : ''}${this.name}.${domain}`, path, { method, body });
  }

  kubectl(args: readonly string[], input?: object): Promise<string> {
    return kubectl(['-n', this.name, ...args], input);
  }

  async objects<T>(kind: string, ...args: readonly string[]): Promise<readonly T[]> {
    const { items } = JSON.parse(await this.kubectl(['get', kind, ...args, '-o', 'json'])) as { readonly items: T[] };
    return items;
  }

  /** Image of each Deployment, by its name. */
  async images(): Promise<Readonly<Record<string, string | undefined>>> {
    const found = await this.objects<DeploymentObject>('deployments');
    return Object.fromEntries(
      found.map(({ metadata, spec }) => [metadata.name, spec.template.spec.containers[0]?.image]),
    );
  }

  /** A record of the namespace; undefined before it is there. */
  async record<T>(name: string): Promise<T | undefined> {
    const found = await this.kubectl(['get', 'configmap', name, '--ignore-not-found', '-o', 'jsonpath={.data.record}']);
    return found === '' ? undefined : (JSON.parse(found) as T);
  }

  async production(): Promise<Production> {
    return (await this.record<Production>('production')) ?? { held: [] };
  }

  release(name: string): Promise<Release | undefined> {
    return this.record(`release-${name}`);
  }

  evidence(release: string): Promise<Evidence | undefined> {
    return this.record(`tests-${release}`);
  }
}

/** A command line that a test may end in any way. */
export class Running {
  readonly child: ChildProcess;
  readonly #output: Promise<string>;
  readonly #errors: Promise<string>;

  constructor(child: ChildProcess) {
    if (child.stdout === null || child.stderr === null) throw new Error('it has no output');
    this.child = child;
    this.#output = text(child.stdout);
    this.#errors = text(child.stderr);
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async report(): Promise<Report> {
    const lines = (await this.#output).split('\n').filter((line) => line !== '');
    const documents = lines.map((line) => JSON.parse(line) as { readonly kind?: string; readonly report?: Report });
    const report = documents.find(({ kind }) => kind === 'report')?.report;
    if (report === undefined) throw new Error(`no report: ${await this.#errors}${lines.join('\n')}`);
    return report;
  }

  /** What it said before it gave up. */
  async refusal(): Promise<string> {
    return `${await this.#output}${await this.#errors}`;
  }

  async kill(): Promise<void> {
    if (this.isOver) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

/** What an assertion shows of a run that ended otherwise than it should. */
export function verdicts({ outcome, steps }: Report): string {
  const bad = steps.filter(({ outcome }) => outcome !== 'succeeded' && outcome !== 'skipped');
  return JSON.stringify({
    outcome,
    steps: bad.map(({ id, outcome, reason, message }) => ({ id, outcome, reason, message })),
  });
}

/** The step that decided, and why. */
export function decided(report: Report): object {
  const found = report.steps.find((step) => step.outcome === 'failed' && step.attempts.length > 0);
  return { outcome: report.outcome, step: found?.id, reason: found?.reason, message: found?.message };
}

export function stepOf({ steps }: Report, id: string): StepReport {
  const found = steps.find((step) => step.id === id);
  if (found === undefined) throw new Error(`no step ${id} of ${steps.map((step) => step.id).join(', ')}`);
  return found;
}
