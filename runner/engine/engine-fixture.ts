import { randomUUID } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Executor } from '../executors/executor.ts';
import { createLocalExecutor } from '../executors/local/local-executor.ts';
import type { Checked } from '../model/problem.ts';
import type { RunEvent } from '../model/run-event.ts';
import type { RunRequest, TriggerEvent } from '../model/run-request.ts';
import type { RunState } from '../model/run-state.ts';
import { createFileLogs } from '../results/log/file-logs.ts';
import type { Logs } from '../results/log/logs.ts';
import { createGitSources } from '../sources/git-source.ts';
import { openBlobs } from '../store/blobs.ts';
import { isAlive, thisProcess } from '../store/owner.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Blobs, Owner } from '../store/store.ts';
import { createEngine } from './create-engine.ts';
import type { EngineDependencies } from './dependencies.ts';
import type { Engine, PreparedRun, RunObserver } from './engine.ts';

type FullStore = Awaited<ReturnType<typeof openSqliteStore>>;

/** A whole Sluice in a temporary folder, with a real repository, for tests of the engine. */
export interface World {
  readonly engine: Engine;
  readonly store: FullStore;
  readonly blobs: Blobs;
  readonly logs: Logs;
  readonly executor: Executor;
  readonly observer: RunObserver;
  path(name: string): string;
  write(name: string): Promise<void>;
  prepare(yaml: string): Promise<Checked<PreparedRun>>;
  /** Stores a run of the pipeline. */
  start(yaml: string): Promise<string>;
  /** Commits the pipeline and puts a run of it into the queue, as a push does. */
  push(yaml: string, trigger?: Partial<TriggerEvent>, more?: Pick<RunRequest, 'held' | 'priority'>): Promise<string>;
  /** Takes the run whose turn it is and reads its pipeline. */
  takeAndPlan(): Promise<RunState>;
  /** Calls back once, at the first event of this type. */
  on(type: RunEvent['type'], callback: (state: RunState) => void): void;
  /** What the observer heard of a step. */
  logOf(step: string): string;
}

interface WorldOptions {
  readonly secrets?: Readonly<Record<string, string>>;
  readonly owner?: Owner;
}

/** The process of an owner named `dead` is gone. */
export async function openWorld(t: ExecutionContext, options: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-engine-'));
  const repository = join(folder, 'repository');
  await mkdir(repository);
  await promisify(execFile)('git', ['init', '-q', repository]);
  const engineParts = await openParts(t, folder);
  const { secrets = {}, owner = thisProcess() } = options;
  const engine = createEngine({ ...engineParts, owner, secret: (name) => secrets[name] });
  const prepare = async (yaml: string): Promise<Checked<PreparedRun>> => {
    await writeFile(join(repository, 'sluice.yaml'), yaml);
    return engine.prepare({ location: repository, file: 'sluice.yaml', event: 'manual', actor: 'test' });
  };
  return {
    ...engineParts,
    ...listen(),
    engine,
    path: (name) => join(folder, name),
    write: (name) => writeFile(join(folder, name), ''),
    prepare,
    start: async (yaml) => {
      const prepared = await prepare(yaml);
      if (prepared.ok) return engine.start(prepared.value);
      throw new Error(prepared.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'));
    },
    push: async (yaml, changes, more) => {
      const runId = randomUUID();
      const trigger: TriggerEvent = {
        event: 'push',
        ref: 'refs/heads/main',
        branch: 'main',
        tag: '',
        commit: await commit(repository, yaml),
        actor: 'ada',
        ...changes,
      };
      const request = { repository: 'shop', trigger, file: 'sluice.yaml', dirty: false, ...more };
      await engineParts.store.enqueue({ type: 'run-requested', at: Date.now(), runId, request });
      return runId;
    },
    takeAndPlan: async () => engine.plan((await engine.take(9)) ?? '', () => Promise.resolve(repository)),
  };
}

async function commit(repository: string, yaml: string): Promise<string> {
  await writeFile(join(repository, 'sluice.yaml'), yaml);
  const git = (...args: readonly string[]) => promisify(execFile)('git', ['-C', repository, ...args]);
  await git('add', '.');
  await git('-c', 'user.name=ada', '-c', 'user.email=ada@example.com', 'commit', '--allow-empty', '-qm', 'a change');
  return (await git('rev-parse', 'HEAD')).stdout.trim();
}

type Parts = Omit<EngineDependencies, 'owner' | 'secret' | 'store'> & Pick<World, 'store'>;

async function openParts(t: ExecutionContext, folder: string): Promise<Parts> {
  const file = join(folder, 'sluice.db');
  const store = await openSqliteStore({
    file,
    clock: Date.now,
    isAlive: (other) => other.id !== 'dead' && isAlive(other),
  });
  const baseEnv = { PATH: process.env['PATH'] ?? '' };
  const executor = createLocalExecutor({ folder: join(folder, 'work'), baseEnv, graceMs: 500 });
  const sources = createGitSources({ environment: process.env, temporaryFolder: join(folder, 'trees') });
  t.teardown(async () => {
    await sources.close();
    await executor.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    store,
    blobs: await openBlobs(join(folder, 'blobs')),
    logs: createFileLogs(join(folder, 'logs')),
    executor,
    sources,
    clock: Date.now,
    logger: { error: (message, fields) => t.log(message, fields), warn: ignore, info: ignore, debug: ignore },
    gates: new Map(),
    capacity: 4,
    maxLogBytes: 1_000_000,
    maxUploadBytes: 1_000_000_000,
    lookAhead: { attempts: 0, cpu: 0, memory: 0 },
  };
}

function listen(): Pick<World, 'observer' | 'on' | 'logOf'> {
  const listeners = new Map<string, (state: RunState) => void>();
  const printed = new Map<string, string>();
  return {
    observer: {
      event: (state, { type }) => {
        const listener = listeners.get(type);
        listeners.delete(type);
        listener?.(state);
      },
      log: (step, _attempt, chunk) => printed.set(step, (printed.get(step) ?? '') + Buffer.from(chunk).toString()),
    },
    on: (type, callback) => listeners.set(type, callback),
    logOf: (step) => printed.get(step) ?? '',
  };
}

const ignore = (): undefined => undefined;
