import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../model/errors.ts';
import { Git } from './git-command.ts';
import type { GitNetwork } from './git-command.ts';
import { protocolOf } from './remote-url.ts';

export interface Remote {
  /** Names the folder of the mirror. */
  readonly id: string;
  readonly url: string;
  /** A token that may read the repository; '' for none. */
  readonly token: string;
}

/** A commit, and the ref under which a server that hands out no single commits has it. */
export interface WantedCommit {
  readonly commit: string;
  readonly ref: string;
}

/** Where the branches and tags of a repository are. */
export interface RemoteRefs {
  /** By full ref; of an annotated tag the commit that it names. */
  readonly refs: ReadonlyMap<string, string>;
  /** The default branch; undefined in a repository without commits. */
  readonly head: WantedCommit | undefined;
}

/** Copies of repositories elsewhere, with the commits that were asked for. */
export interface Mirrors {
  /**
   * The folder of a bare repository that has the commit, fetched when it is not there yet. ERR_SOURCE, in git's words,
   * when it cannot be had.
   */
  fetch(remote: Remote, wanted: WantedCommit): Promise<string>;
  /** What a branch, a tag or a full commit id of the repository means now. ERR_SOURCE when it means nothing. */
  resolve(remote: Remote, revision: string): Promise<WantedCommit>;
  /** Where the branches and tags of the repository are now, and refs of further `patterns`. ERR_SOURCE, in git's words, when nobody says. */
  refs(remote: Remote, patterns?: readonly string[]): Promise<RemoteRefs>;
}

interface MirrorOptions {
  /** Of it git gets PATH, HOME and XDG_CONFIG_HOME. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  /** How long a server may send nothing before git gives it up; 30 when absent. A fetch asks twice at most. */
  readonly silenceSeconds?: number;
}

const defaultSilenceSeconds = 30;

export function createMirrors(options: MirrorOptions): Mirrors {
  const { environment, folder, silenceSeconds = defaultSilenceSeconds } = options;
  const gitFor = ({ url, token }: Remote) => new Git(environment, networkOf(url, token, silenceSeconds));
  const turns = new Map<string, Promise<unknown>>();
  return {
    fetch(remote, wanted) {
      // Two fetches at once into one repository fight for its lock of shallow commits.
      const before = turns.get(remote.id) ?? Promise.resolve();
      const fetched = before.then(() => fetchInto(join(folder, `${remote.id}.git`), gitFor(remote), remote, wanted));
      const turn = fetched.catch(() => undefined);
      turns.set(remote.id, turn);
      void turn.then(() => turns.get(remote.id) === turn && turns.delete(remote.id));
      return fetched;
    },
    resolve: async (remote, revision) => resolveIn(gitFor(remote), remote, revision),
    refs: async (remote, patterns = []) => listRefs(gitFor(remote), remote, patterns),
  };
}

const fullId = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

async function fetchInto(gitFolder: string, git: Git, { url }: Remote, { commit, ref }: WantedCommit): Promise<string> {
  if (!fullId.test(commit)) throw new SluiceError('ERR_SOURCE', `${JSON.stringify(commit)} is no full commit id`);
  await mkdir(gitFolder, { recursive: true });
  await git.run({ gitFolder }, ['init', '--quiet', '--bare']);
  const has = async () => (await git.ask({ gitFolder }, ['cat-file', '-e', `${commit}^{commit}`])).code === 0;
  if (await has()) return gitFolder;
  const fetch = (...wanted: readonly string[]) =>
    git.ask({ gitFolder }, ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', ...wanted]);
  const direct = await fetch('--depth=1', '--end-of-options', url, commit);
  if (direct.code === 0 && (await has())) return gitFolder;
  // A server may hand out only what a ref points to, so the commit is looked for behind that.
  const whole = /^refs\/[\w./@+-]+$/.test(ref) ? await fetch('--end-of-options', url, ref) : direct;
  if (whole.code === 0 && (await has())) return gitFolder;
  const complaint = (whole.code === 0 ? direct : whole).complaint;
  throw new SluiceError('ERR_SOURCE', `Commit ${commit} cannot be fetched from ${url}: ${complaint}`, {
    hint: 'Check that it was pushed there, the clone URL of the repository, and the token.',
  });
}

async function resolveIn(git: Git, { url }: Remote, revision: string): Promise<WantedCommit> {
  if (fullId.test(revision)) return { commit: revision, ref: '' };
  const refs = [`refs/heads/${revision}`, `refs/tags/${revision}`, revision];
  const { code, output, complaint } = await git.ask({ gitFolder: '/' }, [
    'ls-remote',
    '--quiet',
    '--end-of-options',
    url,
  ]);
  const lines = output
    .toString()
    .split('\n')
    .map((line) => line.split('\t'));
  for (const ref of refs) {
    // An annotated tag is an object of its own; `^{}` is the commit that it names.
    const [commit] = lines.find(([, name]) => name === `${ref}^{}`) ?? lines.find(([, name]) => name === ref) ?? [];
    if (commit !== undefined && fullId.test(commit)) return { commit, ref };
  }
  const why = code === 0 ? 'it has no such branch or tag' : complaint;
  throw new SluiceError('ERR_SOURCE', `${JSON.stringify(revision)} is no commit of ${url}: ${why}`, {
    hint: 'Name a branch, a tag, or a full commit id.',
  });
}

async function listRefs(git: Git, { url }: Remote, patterns: readonly string[]): Promise<RemoteRefs> {
  const wanted = ['HEAD', 'refs/heads/*', 'refs/tags/*', ...patterns];
  const { code, output, complaint } = await git.ask({ gitFolder: '/' }, [
    ...['ls-remote', '--quiet', '--symref', '--end-of-options', url],
    ...wanted,
  ]);
  if (code !== 0)
    throw new SluiceError('ERR_SOURCE', `The refs of ${url} cannot be listed: ${complaint}`, {
      hint: 'Check the clone URL of the repository and the token.',
    });
  const refs = new Map<string, string>();
  let branch = '';
  for (const line of output.toString().split('\n')) {
    const [value = '', name = ''] = line.split('\t');
    if (name === 'HEAD') branch ||= value.startsWith('ref: ') ? value.slice('ref: '.length) : '';
    // The commit of an annotated tag comes behind the tag, and takes its place.
    else if (fullId.test(value)) refs.set(name.replace(/\^\{\}$/, ''), value);
  }
  const commit = refs.get(branch);
  return { refs, head: commit === undefined ? undefined : { commit, ref: branch } };
}

/** Only what the URL asks for; a redirect could carry the token elsewhere (trust.md, A4). */
function networkOf(url: string, token: string, silenceSeconds: number): GitNetwork {
  const protocol = protocolOf(url);
  const settings = { 'http.followRedirects': 'false' };
  if (protocol === 'ssh') return { protocols: [protocol], settings };
  if (protocol === 'file') return { protocols: [protocol], settings: { ...settings, 'safe.directory': '*' } };
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  const header = token === '' ? {} : { 'http.extraHeader': `Authorization: Basic ${basic}` };
  // curl waits for ever by itself, and the run that fetches holds one of the places of the queue meanwhile.
  const patience = { 'http.lowSpeedLimit': '1', 'http.lowSpeedTime': String(silenceSeconds) };
  return { protocols: [protocol], settings: { ...settings, ...patience, ...header } };
}
