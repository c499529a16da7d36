import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';

const batch = 32;
const silenceMs = 2_000;

/** Both ends of a pipe, as file descriptors. */
interface Ends {
  readonly reader: number;
  readonly writer: number;
}

/** One pipe for stdout and stderr, so that the order of what is written to them is kept. */
export interface OutputPipe {
  readonly reader: Socket;
  /** Handed to the process as its stdout and stderr; the opener closes it then. */
  readonly writer: number;
}

/**
 * Node gives children sockets, which `echo … > /dev/stderr` cannot open, and one for each stream. A named pipe, unlinked
 * as soon as both ends are open, is what a shell would give. Making one costs a process, so they are made by the batch.
 */
export class OutputPipes {
  readonly #folder: string;
  readonly #idle: Ends[] = [];
  #filling: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(): Promise<OutputPipe> {
    for (let ends = this.#idle.pop(); ; ends = this.#idle.pop()) {
      if (ends !== undefined)
        return { ...ends, reader: new Socket({ fd: ends.reader, readable: true, writable: false }) };
      this.#filling ??= this.#fill().finally(() => (this.#filling = undefined));
      await this.#filling;
    }
  }

  close(): void {
    for (const fd of this.#idle.splice(0).flatMap(({ reader, writer }) => [reader, writer])) closeSync(fd);
  }

  async #fill(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const name = join(this.#folder, randomUUID());
    const paths = Array.from({ length: batch }, (_, index) => `${name}-${index}`);
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
    for (const path of paths) this.#idle.push(openAndUnlink(path));
  }
}

/** A reader that does not wait for data lets the writer open at once. */
function openAndUnlink(path: string): Ends {
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  unlinkSync(path);
  return { reader, writer };
}

/** Passes on what comes out of a pipe, no faster than it is taken. */
export class OutputPump {
  readonly #reader: Socket;
  #writing = false;
  #cut = false;
  /** Settles at the end of the output; rejects with what `write` rejected with. */
  readonly done: Promise<void>;

  constructor(reader: Socket, write: (chunk: Uint8Array) => Promise<void>) {
    this.#reader = reader;
    this.done = this.#run(write);
    // Whoever waits for it learns of a failure; until then it is nobody's.
    this.done.catch(() => undefined);
  }

  async #run(write: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    try {
      for await (const chunk of this.#reader as AsyncIterable<Uint8Array>) {
        this.#writing = true;
        await write(chunk);
        this.#writing = false;
      }
    } catch (error) {
      if (!this.#cut) throw error;
    }
  }

  /**
   * Drains what is in the pipe once its processes have ended. A process that was not found may still hold the other end:
   * two seconds of silence end the wait.
   */
  async finish(): Promise<void> {
    for (let seen = -1; seen !== this.#reader.bytesRead || this.#writing;) {
      seen = this.#reader.bytesRead;
      if (await settlesWithin(this.done, silenceMs)) return;
      // A busy event loop may be late for both: it looks at the pipe before the silence counts.
      await setImmediate();
    }
    await this.cut();
  }

  /** Ends the pump at once. */
  async cut(): Promise<void> {
    this.#cut = true;
    this.#reader.destroy();
    await this.done;
  }
}

async function settlesWithin(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
