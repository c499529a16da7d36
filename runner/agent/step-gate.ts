import { execFile } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SluiceError } from '../model/errors.ts';
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
  /** Raw output; ends when no process of the step can write any more, once `word` has settled or `shut` was called. */
  readonly output: Socket;
  /** Settles when the shell has taken its go. */
  readonly begun: Promise<void>;
  /** Settles when the command has ended by the shell's own word; never when its container dies without one. */
  readonly word: Promise<ShellWord>;
  open(command: Command): void;
  /** Takes the go back; false when the shell has it already. */
  revoke(): boolean;
  /** To every process of the step. */
  signal(name: 'TERM' | 'KILL'): void;
  /** Nothing more is to be expected. */
  shut(): void;
}

/** Makes folders and pipes; the shell beside waits for the last of them. Everything is open before the shell can see it. */
export async function openGate(folders: AgentFolders): Promise<StepGate> {
  const { control } = folders;
  for (const path of [control, folders.workspace, folders.home, folders.temporary]) mkdirSync(path);
  writeFileSync(folders.output, '');
  const pipe = (name: string): string => join(control, name);
  await promisify(execFile)('mkfifo', ['-m', '600', pipe('out'), pipe('done'), pipe('stop'), pipe('gate')]);
  const output = openReader(pipe('out'));
  const done = openReader(pipe('done'));
  const gate = openBoth(pipe('gate'));
  const stop = openBoth(pipe('stop'));
  const shut = once(() => {
    closeSync(output.keeper);
    closeSync(done.keeper);
  });
  const begun = Promise.withResolvers<undefined>();
  const word = readWord(done.reader, () => begun.resolve(undefined)).finally(shut);
  // Whoever waits for it learns of a failure; until then it is nobody's.
  word.catch(() => undefined);
  renameSync(pipe('gate'), pipe('go'));
  return {
    output: output.reader,
    begun: begun.promise,
    word,
    revoke: () => isRead(gate),
    open: (command) => {
      writeFileSync(pipe('script'), command.script);
      writeFileSync(pipe('env'), environmentFile(command.env, command.folder));
      writeSync(gate, `${command.shell}\n`);
    },
    signal: (name) => {
      if (!existsSync(pipe('stopping'))) writeFileSync(pipe('stopping'), '');
      writeSync(stop, `${name}\n`);
    },
    shut,
  };
}

/** A reader, and a writer of our own that keeps the end of the pipe from coming before the shell has opened it. */
function openReader(path: string): { readonly reader: Socket; readonly keeper: number } {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const keeper = openSync(path, constants.O_WRONLY);
  return { reader: new Socket({ fd, readable: true, writable: false }), keeper };
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

/** The shell says `begun` when it has all that it needs, and at its end the word. */
async function readWord(reader: Socket, begun: () => void): Promise<ShellWord> {
  let text = '';
  for await (const chunk of reader as AsyncIterable<Buffer>) {
    text += chunk.toString();
    const lines = text.split('\n').slice(0, -1);
    if (lines[0] === 'begun') begun();
    const word = lines.find((line) => line !== 'begun');
    if (word !== undefined || text.length > 200) return parseWord(word ?? '');
  }
  return parseWord('');
}

function parseWord(line: string): ShellWord {
  const [, missing] = /^missing (\w+)$/.exec(line) ?? [];
  if (missing !== undefined) return { missing };
  if (/^\d{1,3}$/.test(line)) return { exitCode: Number(line) };
  throw new SluiceError('ERR_WORKSPACE', `the shell of the step ended with the word ${JSON.stringify(line)}`);
}
