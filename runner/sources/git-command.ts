import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { SluiceError, messageOf } from '../model/errors.ts';

/** Where git works. */
export interface GitFolders {
  /** What git calls GIT_DIR. */
  readonly gitFolder: string;
  /** Absent for commands that need no working tree. */
  readonly workTree?: string;
}

const deadlineMs = 300_000;
const maxComplaint = 2_000;
/** What a remote answers is held in memory; 600,000 refs or files fit. */
const maxOutput = 64 * 1024 * 1024;
/** Exit code of shells for a command that is not there. */
const notStarted = 127;

/** With these, no configuration of a repository makes git run a program or write more than it has to. */
const settings = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  'core.splitIndex=false',
  'core.fsync=none',
  'core.looseCompression=0',
  'core.safecrlf=false',
  'gc.auto=0',
].flatMap((setting) => ['-c', setting]);

const guards = {
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
};

/** How a command ended. `complaint` is what it wrote to its error stream, shortened. */
interface Ending {
  readonly code: number;
  readonly complaint: string;
}

/** What git may talk to over a network, and how it proves who asks. */
export interface GitNetwork {
  readonly protocols: readonly ('https' | 'http' | 'ssh' | 'file')[];
  /** Settings by name, such as a header with a token. They reach git in its environment, which other users cannot read. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The `git` on PATH, called without a shell and without the caller's GIT_* variables; by itself without a network too. */
export class Git {
  readonly #environment: Readonly<Record<string, string>>;

  /** PATH finds git, HOME and XDG_CONFIG_HOME find the user's own configuration; nothing else is handed on. */
  constructor(
    { PATH = '', HOME = '/', XDG_CONFIG_HOME }: Readonly<Record<string, string | undefined>>,
    network?: GitNetwork,
  ) {
    const home = { PATH, HOME, ...(XDG_CONFIG_HOME === undefined ? {} : { XDG_CONFIG_HOME }) };
    this.#environment = { ...guards, ...home, ...(network && reaching(network)) };
  }

  /** What git prints and how it ended, well or not; with more than 64 MiB it is ended. ERR_SOURCE when it could not be started. */
  async ask(folders: GitFolders, args: readonly string[]): Promise<Ending & { readonly output: Buffer }> {
    const tooMuch = new AbortController();
    const { child, ended } = this.#start(folders, args, tooMuch.signal);
    child.stdin.end();
    const chunks: Buffer[] = [];
    let room = maxOutput;
    child.stdout.on('data', (chunk: Buffer) => {
      room -= chunk.length;
      if (room < 0) tooMuch.abort(new Error(`more than ${maxOutput} bytes came`));
      else chunks.push(chunk);
    });
    const ending = await ended;
    if (ending.code === notStarted) throw failure(folders, args, ending);
    return { ...ending, output: Buffer.concat(chunks) };
  }

  /** What git prints. ERR_SOURCE with git's own words when it does not end with 0. */
  async run(folders: GitFolders, args: readonly string[]): Promise<Buffer> {
    const { output, ...ending } = await this.ask(folders, args);
    if (ending.code !== 0) throw failure(folders, args, ending);
    return output;
  }

  /** As `run`, piece by piece. Git is ended when the reader stops early. */
  async *stream(folders: GitFolders, args: readonly string[], input = ''): AsyncGenerator<Buffer> {
    const { child, ended } = this.#start(folders, args);
    child.stdin.end(input);
    try {
      for await (const chunk of child.stdout) if (Buffer.isBuffer(chunk)) yield chunk;
      const ending = await ended;
      if (ending.code !== 0) throw failure(folders, args, ending);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  }

  #start(folders: GitFolders, args: readonly string[], end?: AbortSignal) {
    const { gitFolder, workTree } = folders;
    const location = [`--git-dir=${gitFolder}`, ...(workTree === undefined ? [] : [`--work-tree=${workTree}`])];
    const child = spawn('git', [...settings, ...location, ...args], {
      cwd: workTree ?? gitFolder,
      env: this.#environment,
      // Not `timeout`: its timer outlives a git that could not be started.
      signal: AbortSignal.any([AbortSignal.timeout(deadlineMs), ...(end ? [end] : [])]),
    });
    // A git that ended early takes no more input; its exit code says why.
    child.stdin.on('error', () => undefined);
    return { child, ended: endOf(child) };
  }
}

function reaching({ protocols, settings: given }: GitNetwork): Readonly<Record<string, string>> {
  const pairs = Object.entries(given).flatMap(([name, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, name],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    ...Object.fromEntries<string>(pairs as [string, string][]),
    GIT_CONFIG_COUNT: String(pairs.length / 2),
    GIT_ALLOW_PROTOCOL: protocols.join(':'),
    // A host that is away or dies in the middle is given up after half a minute.
    GIT_SSH_COMMAND: 'ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=10 -o ServerAliveCountMax=3',
  };
}

/** Never rejects: nobody may be waiting for it yet. */
async function endOf(child: ChildProcessWithoutNullStreams): Promise<Ending> {
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-maxComplaint);
  });
  try {
    await once(child, 'close');
  } catch (error) {
    // That it was aborted says nothing; why stands behind it.
    const why = error instanceof Error && error.name === 'AbortError' ? (error.cause ?? error) : error;
    return { code: child.pid === undefined ? notStarted : -1, complaint: messageOf(why) };
  }
  return {
    code: child.exitCode ?? -1,
    complaint: complaint.trim() || `ended with ${child.exitCode ?? child.signalCode}`,
  };
}

function failure(
  { gitFolder, workTree }: GitFolders,
  args: readonly string[],
  { code, complaint }: Ending,
): SluiceError {
  const hint = code === notStarted ? { hint: 'Install git, or make sure that it is on the PATH.' } : {};
  return new SluiceError('ERR_SOURCE', `git ${args[0]} failed in ${workTree ?? gitFolder}: ${complaint}`, hint);
}
