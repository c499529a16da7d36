import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { StoredRow } from './check-cluster.ts';

const sluice = fileURLToPath(new URL('../../../runner/launch/sluice.js', import.meta.url));

/** A line that Sluice printed: an event that it had made durable before. */
export interface Told {
  readonly kind: string;
  readonly runId?: string;
  readonly event?: StoredRow;
}

/** One process of Sluice, and all that it has said. */
export class Runner {
  readonly told: Told[] = [];
  #errors = '';
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #startedAt = performance.now();
  #running = true;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, [sluice, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.told.push(JSON.parse(line) as Told));
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#running = false;
        resolve(code);
      });
    });
  }

  get ageMs(): number {
    return performance.now() - this.#startedAt;
  }

  get running(): boolean {
    return this.#running;
  }

  get runId(): string | undefined {
    return this.told.find(({ runId }) => runId !== undefined)?.runId;
  }

  /** For whoever wonders why it did not do what was expected. */
  get lastWords(): string {
    return `${JSON.stringify(this.told.slice(-3))}\n${this.#errors}`;
  }

  /** Whether it told of such an event. */
  says(type: string, step?: string): boolean {
    return this.told.some(({ event }) => event?.type === type && (step === undefined || event.step === step));
  }

  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGINT'): void {
    this.#child.kill(name);
  }

  async kill(): Promise<void> {
    if (this.#running) this.#child.kill('SIGKILL');
    await this.ended;
  }
}
