import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../executors/local/free-port.ts';
import type { BackendService } from '../../model/backend.ts';
import type { ReleaseHealth } from '../site.ts';
import { ManagedProcess } from './managed-process.ts';
import type { ProcessHost } from './managed-process.ts';

export interface AppOptions {
  /** Unique among the processes of a supervisor. */
  readonly name: string;
  readonly service: BackendService;
  readonly folder: string;
  /** Called for each start; `PORT` is added. */
  readonly env: () => Promise<Readonly<Record<string, string>>>;
  readonly log: string;
}

const probeMs = 5_000;
const drainMs = 10_000;
const drainLookMs = 20;
/** A second end is no accident any more. */
const mostEnds = 2;

/** One service of one release in one environment. */
export class App {
  readonly service: BackendService;
  readonly #process: ManagedProcess;
  #port: number | undefined;
  #requests = 0;

  constructor({ name, service, folder, env, log }: AppOptions, host: ProcessHost) {
    this.service = service;
    const command = async () => {
      // A new one each time: a port that somebody else took meanwhile is no reason to fail for ever.
      this.#port = await freePort();
      const own = { ...(await env()), ...(service.port === undefined ? {} : { PORT: String(this.#port) }) };
      // Only an image can say what it runs, and no Containerfile is built on this machine.
      return { argv: ['/bin/sh', '-c', startCommand(service.start ?? '')], cwd: folder, env: own };
    };
    this.#process = new ManagedProcess({ name, command, log, stopSignal: 'SIGTERM' }, host);
  }

  /** Where it listens, if it does; undefined for a service without a port. */
  get port(): number | undefined {
    return this.service.port === undefined ? undefined : this.#port;
  }

  /** A request is on its way; `stop` waits until the answer is told to be over. */
  open(): () => void {
    this.#requests += 1;
    let isOpen = true;
    return () => {
      this.#requests -= isOpen ? 1 : 0;
      isOpen = false;
    };
  }

  async health(): Promise<ReleaseHealth> {
    const { name } = this.service;
    const fault = this.#process.isRunning ? await this.#fault() : 'it does not run yet';
    if (fault === undefined) return { state: 'healthy' };
    if (this.#process.ends >= mostEnds) return { state: 'failed', message: `${name}: ${this.#process.lastWords}` };
    return { state: 'starting', message: `${name}: ${fault}` };
  }

  /** Waits for the answers under way, ten seconds at most. */
  async stop(): Promise<void> {
    const deadline = performance.now() + drainMs;
    while (this.#requests > 0 && performance.now() < deadline) await sleep(drainLookMs);
    await this.#process.stop();
  }

  /** What keeps it from being healthy; undefined when nothing does. */
  async #fault(): Promise<string | undefined> {
    const { port } = this;
    const { health } = this.service;
    if (port === undefined) return this.service.port === undefined ? undefined : 'it has no port yet';
    if (!(await accepts(port))) return `nothing listens yet at the port ${port} that PORT told it`;
    const answer = health === undefined ? undefined : await statusAt(port, health);
    // What the probes of Kubernetes take for well.
    if (health === undefined || (typeof answer === 'number' && answer >= 200 && answer < 400)) return undefined;
    return `it answers ${answer} at ${health}, at the port ${port} that PORT told it`;
  }
}

/** One program takes the place of its shell, so that it gets the signal to end. */
function startCommand(start: string): string {
  return /[;&|<>()`$\n]/.test(start) ? start : `exec ${start}`;
}

/** Whether somebody on this machine listens at a port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: probeMs });
    const end = (accepted: boolean) => (): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', end(true)).once('timeout', end(false)).once('error', end(false));
  });
}

/** The status of the answer, or that there is none. */
function statusAt(port: number, path: string): Promise<number | 'nothing'> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(probeMs);
    const asked = request({ host: '127.0.0.1', port, path, agent: false, signal }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 'nothing');
    });
    asked.once('error', () => resolve('nothing'));
    asked.end();
  });
}
