import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError, messageOf } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';
import { socketPath } from './serve-calls.ts';
import { protocol } from './supervisor-calls.ts';
import type { BackendCalls, CallAnswer, Greeting, SupervisorCalls } from './supervisor-calls.ts';

const startMs = 60_000;
const lookMs = 20;

/** How a supervisor is started where none is. */
export interface SupervisorStart {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Calls of the supervisor of a folder. Each rejects with ERR_SERVICE when there is none. */
export class SupervisorClient implements SupervisorCalls {
  readonly #folder: string;
  readonly #signal: AbortSignal | undefined;

  constructor(folder: string, signal?: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  greet(): ReturnType<SupervisorCalls['greet']> {
    return this.#call('greet', []);
  }

  ensure(...args: Parameters<SupervisorCalls['ensure']>): ReturnType<SupervisorCalls['ensure']> {
    return this.#call('ensure', args);
  }

  list(): ReturnType<SupervisorCalls['list']> {
    return this.#call('list', []);
  }

  backends(): ReturnType<SupervisorCalls['backends']> {
    return this.#call('backends', []);
  }

  mark(...args: Parameters<SupervisorCalls['mark']>): ReturnType<SupervisorCalls['mark']> {
    return this.#call('mark', args);
  }

  remove(...args: Parameters<SupervisorCalls['remove']>): ReturnType<SupervisorCalls['remove']> {
    return this.#call('remove', args);
  }

  /** Waits until it has ended. */
  async stop(): Promise<void> {
    await this.#call('stop', []);
    while ((await this.find()) !== undefined) await sleep(lookMs, undefined, { signal: this.#signal });
  }

  /** What there is; undefined when nobody answers. */
  async find(): Promise<Greeting | undefined> {
    return this.greet().catch((error: unknown) => {
      if (error instanceof SluiceError && error.code === 'ERR_SERVICE') return undefined;
      throw error;
    });
  }

  /**
   * Starts one where none answers, in a session of its own, so that nothing that ends this process ends it. Another one that is of another version of Sluice is
   * ended before: it left on disk what is to run.
   */
  async start({ argv, env }: SupervisorStart): Promise<void> {
    const found = await this.find();
    if (found?.protocol === protocol) return;
    if (found !== undefined) await this.stop();
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const logFile = join(this.#folder, 'supervisor.log');
    const log = openSync(logFile, 'w', 0o600);
    const [program = '', ...args] = argv;
    const child = spawn(program, args, { cwd: '/', env, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    child.unref();
    let failure: string | undefined;
    child.once('error', (error) => (failure = messageOf(error)));
    child.once('exit', (code) => (failure = code === 0 ? failure : readFileSync(logFile, 'utf8').trim()));
    const deadline = performance.now() + startMs;
    while ((await this.find()) === undefined) {
      if (failure !== undefined || performance.now() > deadline) {
        throw new SluiceError(
          'ERR_SERVICE',
          `the supervisor of the environments does not start: ${failure ?? 'it does not answer'}`,
          { hint: `Its log is ${logFile}.` },
        );
      }
      await sleep(lookMs, undefined, { signal: this.#signal });
    }
  }

  /** One call of a backend. */
  ofBackend<Name extends keyof BackendCalls>(
    backend: string,
    name: Name,
    args: Parameters<BackendCalls[Name]>,
    signal?: AbortSignal,
  ): ReturnType<BackendCalls[Name]> {
    return this.#call(`${encodeURIComponent(backend)}/${name}`, args, signal) as ReturnType<BackendCalls[Name]>;
  }

  async #call<Value>(path: string, args: readonly unknown[], signal = this.#signal): Promise<Value> {
    const answer = JSON.parse(await this.#post(`/${path}`, JSON.stringify(withoutEnd(args)), signal)) as CallAnswer;
    if (!('error' in answer)) return answer.value as Value;
    const { code, message, hint } = answer.error;
    throw new SluiceError(code as ErrorCode, message, hint === undefined ? {} : { hint });
  }

  async #post(path: string, body: string, signal: AbortSignal | undefined): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const wish = signal === undefined ? {} : { signal };
    const at = { socketPath: socketPath(this.#folder), path, method: 'POST', agent: false, ...wish };
    const asked = request(at, (answer) => void text(answer).then(resolve, reject));
    asked.once('error', reject);
    asked.end(body);
    try {
      return await promise;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw new SluiceError('ERR_SERVICE', 'the supervisor of the environments of this machine does not answer', {
        hint: 'The next run starts one, and so does `sluice environments start`.',
        cause: error,
      });
    }
  }
}

/** JSON has no word for an argument that is not given. */
function withoutEnd(args: readonly unknown[]): readonly unknown[] {
  return args.at(-1) === undefined ? args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1) : args;
}
