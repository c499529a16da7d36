import { readFileSync } from 'node:fs';

const tickMs = 10;

/** What a process takes while it lives, looked at every 20 ms. */
export class ProcessWatch {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #peakMegabytes = 0;
  #cpuMs = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#look(), 20);
  }

  /** Resident memory now, MB. */
  get megabytes(): number {
    return this.#status('VmRSS');
  }

  /** Processor time since the process began, user and system, ms. */
  get cpuMs(): number {
    this.#look();
    return this.#cpuMs;
  }

  end(): { readonly peakMegabytes: number; readonly cpuMs: number } {
    clearInterval(this.#timer);
    return { peakMegabytes: this.#peakMegabytes, cpuMs: this.#cpuMs };
  }

  #look(): void {
    this.#peakMegabytes = Math.max(this.#peakMegabytes, this.#status('VmHWM'));
    const [, fields = ''] = this.#read('stat').split(') ');
    const [user = 0, system = 0] = fields.split(' ').slice(11, 13).map(Number);
    this.#cpuMs = Math.max(this.#cpuMs, (user + system) * tickMs);
  }

  #status(field: string): number {
    const [, kilobytes = 0] = new RegExp(`${field}:\\s+(\\d+)`).exec(this.#read('status')) ?? [];
    return Number(kilobytes) / 1024;
  }

  /** Empty once the process is gone. */
  #read(file: string): string {
    try {
      return readFileSync(`/proc/${this.#pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  }
}
