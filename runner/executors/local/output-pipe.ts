import { execFile } from 'node:child_process';
import { constants, openSync, unlinkSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';

const batch = 16;

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
  #made: Promise<readonly string[]> = Promise.resolve([]);

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(): Promise<OutputPipe> {
    const path = await this.#take();
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    unlinkSync(path);
    return { reader: new Socket({ fd: reader, readable: true, writable: false }), writer };
  }

  /** Removes the pipes that nobody took. */
  async close(): Promise<void> {
    const paths = await this.#made;
    this.#made = Promise.resolve([]);
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  }

  /** Takes turns: each caller sees the list that the one before it left. */
  async #take(): Promise<string> {
    const turn = this.#made.then(async ([first, ...rest]) =>
      first === undefined ? this.#make() : ([first, ...rest] as const),
    );
    this.#made = turn.then(
      ([, ...rest]) => rest,
      () => [],
    );
    const [path] = await turn;
    return path;
  }

  async #make(): Promise<readonly [string, ...string[]]> {
    await mkdir(this.#folder, { recursive: true });
    const name = join(this.#folder, randomUUID());
    const paths = [`${name}-0`, ...Array.from({ length: batch - 1 }, (_, index) => `${name}-${index + 1}`)] as const;
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
    return paths;
  }
}

/** Passes on what comes out of a pipe, no faster than it is taken. */
export class OutputPump {
  readonly #reader: Socket;
  #received = 0;
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
        this.#received += 1;
        this.#writing = true;
        await write(chunk);
        this.#writing = false;
      }
    } catch (error) {
      if (!this.#cut) throw error;
    }
  }

  /**
   * Drains what is in the pipe once its processes have ended. A process that could not be ended may still hold the
   * other end: half a second of silence ends the wait.
   */
  async finish(): Promise<void> {
    for (let seen = -1; seen !== this.#received || this.#writing;) {
      seen = this.#received;
      if (await settlesWithin(this.done, 500)) return;
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
