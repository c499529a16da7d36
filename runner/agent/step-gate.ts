import { closeSync, constants, existsSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { SocketConstructorOpts } from 'node:net';
import { join } from 'node:path';
import { environmentFile } from './boot-script.ts';
import type { AgentFolders } from './folders.ts';

/** What the shell said last: an exit code, or the shell that its image lacks. */
export type ShellWord = { readonly exitCode: number } | { readonly missing: string };

export interface Command {
  readonly script: string;
  readonly shell: 'sh' | 'bash';
  /** Absolute. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The agent's side of the pipes through which it starts, hears and stops the command of the step. */
export interface StepGate {
  /** Settles when no process of the step can write to its output any more, once `word` has settled or `shut` was called. */
  readonly outputEnded: Promise<void>;
  /** Settles when the shell has taken its go. */
  readonly begun: Promise<void>;
  /** Settles when the command has ended by the shell's own word; never when its container dies without one. */
  readonly word: Promise<ShellWord>;
  open(command: Command): void;
  /** Takes the go back; false when the shell has it already. */
  revoke(): boolean;
  /** To every process of the step. Who asked first stays written in the file `stopping`. */
  signal(name: 'TERM' | 'KILL', by: 'runner' | 'cluster'): void;
  /** Nothing more is to be expected. */
  shut(): void;
  /** Raw output is not read any more: whoever still writes to it is told that nobody listens. */
  closeOutput(): void;
  /** Lets go of everything; may be called again. */
  close(): void;
}

/** Takes raw output; never rejects. The chunk is its own until then, and nothing more is read before. */
export type OutputListener = (chunk: Uint8Array) => Promise<void>;

const outputChunkBytes = 65_536;
const longestWord = 200;

/** Makes the folders of the step, and opens the pipes that `pipesScript` made; the shell beside waits for what comes through `go`. */
export function openGate(folders: AgentFolders, onOutput: OutputListener): StepGate {
  for (const path of [folders.workspace, folders.home, folders.temporary]) mkdirSync(path);
  writeFileSync(folders.output, '');
  const pipe = (name: string): string => join(folders.control, name);
  const output = openReader(pipe('out'), (options) => outputReader(options, onOutput));
  const done = openReader(pipe('done'), (options) => new Socket(options));
  const go = openBoth(pipe('go'));
  const stop = openBoth(pipe('stop'));
  const shut = once(() => closeSync(output.keeper));
  const begun = Promise.withResolvers<undefined>();
  const word = readWord(done.reader, () => begun.resolve(undefined)).finally(shut);
  return {
    outputEnded: new Promise((resolve) => output.reader.once('end', resolve)),
    begun: begun.promise,
    word,
    revoke: () => isRead(go),
    open: (command) => {
      writeFileSync(pipe('script'), command.script);
      writeFileSync(pipe('env'), environmentFile(command.env, command.folder));
      writeSync(go, `${command.shell}\n`);
    },
    signal: (name, by) => {
      if (!existsSync(pipe('stopping'))) writeFileSync(pipe('stopping'), by);
      writeSync(stop, `${name}\n`);
    },
    shut,
    closeOutput: () => output.reader.destroy(),
    close: once(() => {
      shut();
      for (const { reader } of [output, done]) reader.destroy();
      for (const fd of [done.keeper, go, stop]) closeSync(fd);
    }),
  };
}

/** A reader, and a writer of our own that keeps the end of the pipe from coming before the shell has opened it. */
function openReader(
  path: string,
  make: (options: SocketConstructorOpts) => Socket,
): { readonly reader: Socket; readonly keeper: number } {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const keeper = openSync(path, constants.O_WRONLY);
  return { reader: make({ fd, readable: true, writable: false }), keeper };
}

/** One buffer for all that is ever read: 200 MB of output would leave as much for the garbage collector. */
function outputReader(options: SocketConstructorOpts, listener: OutputListener): Socket {
  const hear = (bytes: number, buffer: Uint8Array): boolean => {
    void listener(buffer.subarray(0, bytes)).then(() => reader.resume());
    return false;
  };
  const onread = { buffer: Buffer.allocUnsafe(outputChunkBytes), callback: hear };
  const reader = new Socket({ ...options, onread });
  return reader;
}

/** Open for reading too, so that what is written waits in the pipe for a shell that comes later. */
function openBoth(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}

/** Nobody else can read what was read here. */
function isRead(pipe: number): boolean {
  try {
    return readSync(pipe, Buffer.alloc(16)) > 0;
  } catch {
    return false; // EAGAIN: the pipe is empty.
  }
}

/** The shell says `begun` when it has all that it needs, and at its end the word; whatever else is said there is the command's own. */
function readWord(reader: Socket, begun: () => void): Promise<ShellWord> {
  let text = '';
  const { promise, resolve } = Promise.withResolvers<ShellWord>();
  // Read on after the word: a command may have said it in the shell's place, and the shell has to be heard to come to its end.
  reader.on('data', (chunk: Buffer) => {
    const lines = (text + chunk.toString()).split('\n');
    text = (lines.pop() ?? '').slice(-longestWord);
    for (const line of lines) {
      const word = parseWord(line);
      if (word !== undefined) resolve(word);
      else if (line === 'begun') begun();
    }
  });
  return promise;
}

function parseWord(line: string): ShellWord | undefined {
  const [, missing] = /^missing (\w+)$/.exec(line) ?? [];
  if (missing !== undefined) return { missing };
  return /^\d{1,3}$/.test(line) ? { exitCode: Number(line) } : undefined;
}
