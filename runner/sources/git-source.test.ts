import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../model/errors.ts';
import { findFiles } from '../workspace/find-files.ts';
import { unpackTar } from '../workspace/unpack-tar.ts';
import { createGitSources } from './git-source.ts';
import type { GitSources } from './git-source.ts';
import type { Source } from './source.ts';

const identity = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@example.org',
};

interface Scene {
  readonly repository: string;
  readonly temporary: string;
  readonly sources: GitSources;
  readonly git: (...args: readonly string[]) => string;
  readonly write: (files: Readonly<Record<string, string>>) => void;
  readonly commit: (message?: string) => string;
}

/** An empty repository, and sources to open it with. */
function scene(t: ExecutionContext, ...init: readonly string[]): Scene {
  const outer = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'sluice-git-')));
  const [repository, temporary] = [join(outer, 'shop-api'), join(outer, 'temporary')];
  const sources = createGitSources({ environment: identity, temporaryFolder: temporary });
  t.teardown(async () => {
    await sources.close();
    fs.rmSync(outer, { recursive: true, force: true });
  });
  fs.mkdirSync(repository);
  const git = (...args: readonly string[]) =>
    execFileSync('git', args, {
      cwd: repository,
      env: identity,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  const write = (files: Readonly<Record<string, string>>) => {
    for (const [path, content] of Object.entries(files)) {
      fs.mkdirSync(dirname(join(repository, path)), { recursive: true });
      fs.writeFileSync(join(repository, path), content);
    }
  };
  const commit = (message = 'change') => {
    git('add', '--all');
    git('commit', '--quiet', '--message', message);
    return git('rev-parse', 'HEAD');
  };
  git('init', '--quiet', '--initial-branch=main', ...init);
  return { repository, temporary, sources, git, write, commit };
}

/** Files of the source as its tar has them: content, "*" in front of executables, "->" of links. */
async function unpacked(t: ExecutionContext, source: Source): Promise<Readonly<Record<string, string>>> {
  const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'sluice-tar-')));
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
  await unpackTar(source.tar(), folder);
  const { paths } = await findFiles(folder, ['**']);
  return Object.fromEntries(paths.map((path) => [path, describe(join(folder, path))]));
}

function describe(path: string): string {
  const stat = fs.lstatSync(path);
  if (stat.isSymbolicLink()) return `->${fs.readlinkSync(path)}`;
  return (stat.mode & 0o100 ? '*' : '') + fs.readFileSync(path, 'utf8');
}

async function digest(source: Source): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of source.tar()) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/** Every file of a folder with the digest of its bytes; objects without their times, which git renews for objects in use. */
function photograph(folder: string): Readonly<Record<string, string>> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  return Object.fromEntries(
    names.map((name) => {
      const stat = fs.lstatSync(join(folder, name));
      const content = stat.isFile() ? fs.readFileSync(join(folder, name)) : '';
      const time = name.startsWith('objects/') ? '' : stat.mtimeMs;
      return [name, `${stat.mode} ${time} ${createHash('sha256').update(content).digest('hex')}`];
    }),
  );
}

async function refusal(t: ExecutionContext, work: Promise<unknown>): Promise<SluiceError> {
  return t.throwsAsync(work, { instanceOf: SluiceError, code: 'ERR_SOURCE' });
}

const paths = (source: Source) => source.files.map(({ path }) => path);

test('a commit gives its files, modes, links and contents', async (t) => {
  const { repository, sources, git, write, commit } = scene(t);
  write({ 'b.txt': 'bee', 'a/tool': '#!/bin/sh', 'a.txt': 'ä', empty: '' });
  fs.chmodSync(join(repository, 'a/tool'), 0o755);
  fs.symlinkSync('../b.txt', join(repository, 'a/link'));
  const sha = commit();
  write({ 'b.txt': 'changed later', new: '' });

  const source = await sources.open(repository, 'main');
  t.like(source, {
    repository: 'shop-api',
    commit: sha,
    ref: 'refs/heads/main',
    branch: 'main',
    tag: '',
    dirty: false,
  });
  t.deepEqual(
    source.files.map(({ path, mode }) => `${mode} ${path}`),
    ['100644 a.txt', '120000 a/link', '100755 a/tool', '100644 b.txt', '100644 empty'],
  );
  t.is(source.files[0]?.oid, git('rev-parse', 'HEAD:a.txt'));
  t.is(await source.read('a.txt', 10), 'ä');
  t.is(await source.read('b.txt', 3), 'bee');
  t.is(await source.read('empty', 0), '');
  t.is(await source.read('a/link', 10), undefined);
  t.is(await source.read('a', 10), undefined);
  t.is(await source.read('missing', 10), undefined);
  await t.throwsAsync(source.read('b.txt', 2), { instanceOf: SluiceError, code: 'ERR_LIMIT' });
  t.deepEqual(await unpacked(t, source), {
    'a.txt': 'ä',
    'a/link': '->../b.txt',
    'a/tool': '*#!/bin/sh',
    'b.txt': 'bee',
    empty: '',
  });
});

test('branches, tags, short names, parents and detached heads are told apart', async (t) => {
  const { repository, sources, git, write, commit } = scene(t);
  write({ a: '1' });
  const first = commit();
  write({ a: '2' });
  const second = commit();
  git('branch', 'feature/x', first);
  git('tag', 'v1', first);
  git('tag', '--annotate', '--message', 'two', 'v2', second);
  const names = async (revision?: string) => {
    const { commit: sha, ref, branch, tag } = await sources.open(repository, revision);
    return [sha === first ? 1 : 2, ref, branch, tag];
  };
  t.deepEqual(await names('feature/x'), [1, 'refs/heads/feature/x', 'feature/x', '']);
  t.deepEqual(await names('refs/heads/main'), [2, 'refs/heads/main', 'main', '']);
  t.deepEqual(await names('v1'), [1, 'refs/tags/v1', '', 'v1']);
  t.deepEqual(await names('v2'), [2, 'refs/tags/v2', '', 'v2']);
  t.deepEqual(await names('HEAD'), [2, 'refs/heads/main', 'main', '']);
  t.deepEqual(await names('main~1'), [1, '', '', '']);
  t.deepEqual(await names(first.slice(0, 10)), [1, '', '', '']);
  t.deepEqual(await names(), [2, 'refs/heads/main', 'main', '']);
  git('checkout', '--quiet', '--detach', 'v1');
  t.deepEqual(await names(), [1, '', '', '']);
  t.deepEqual(await names('HEAD'), [1, '', '', '']);
});

test('what means no commit is refused, options above all', async (t) => {
  const { repository, sources, git, write, commit } = scene(t);
  write({ a: '1' });
  commit();
  git('tag', 'blob', 'HEAD:a');
  const revisions = [
    'nowhere',
    '',
    '--help',
    '-n1',
    '--output=x',
    'main..HEAD',
    '^main',
    'HEAD:a',
    ':a',
    'blob',
    'a',
    'main\0',
    '--all',
    '@{upstream}',
  ];
  for (const revision of revisions) {
    const error = await refusal(t, sources.open(repository, revision));
    t.regex(error.message, /is no commit of/, revision);
    t.truthy(error.hint);
  }
});

test('the working tree has uncommitted, untracked and deleted files as they are, ignored ones not', async (t) => {
  const { repository, sources, git, write, commit } = scene(t);
  write({ '.gitignore': '*.log\nbuild/\n', kept: 'kept', edited: 'old', gone: 'gone', staged: 'old', tool: 'x' });
  const sha = commit();
  fs.appendFileSync(join(repository, '.git/info/exclude'), 'private\n');
  write({ edited: 'new', staged: 'staged', 'new/file': 'untracked', 'a.log': '', 'build/x': '', private: '' });
  git('add', 'staged');
  write({ staged: 'edited after staging' });
  fs.rmSync(join(repository, 'gone'));
  fs.chmodSync(join(repository, 'tool'), 0o755);

  const source = await sources.open(join(repository, 'new'));
  t.like(source, { commit: sha, branch: 'main', dirty: true, repository: 'shop-api' });
  const expected = {
    '.gitignore': '*.log\nbuild/\n',
    edited: 'new',
    kept: 'kept',
    'new/file': 'untracked',
    staged: 'edited after staging',
    tool: '*x',
  };
  t.deepEqual(await unpacked(t, source), expected);
  t.is(await source.read('edited', 10), 'new');
  t.is(await source.read('kept', 10), 'kept');
});

test("ignore rules of the user and of the repository's configuration hold", async (t) => {
  const { repository, temporary, git, write } = scene(t);
  const home = join(repository, '../home');
  fs.mkdirSync(join(home, '.config/git'), { recursive: true });
  fs.writeFileSync(join(home, '.config/git/ignore'), '*.swp\n');
  write({ a: '1', 'b.swp': '2', 'c.own': '3' });
  const sources = createGitSources({ environment: { ...identity, HOME: home }, temporaryFolder: temporary });
  t.teardown(() => sources.close());
  t.deepEqual(paths(await sources.open(repository)), ['a', 'c.own']);

  fs.writeFileSync(join(home, 'own "list"'), '*.own\n');
  git('config', 'core.excludesFile', '~/own "list"');
  t.deepEqual(paths(await sources.open(repository)), ['a', 'b.swp']);
});

test('opening changes nothing of the repository', async (t) => {
  const { repository, sources, git, write, commit } = scene(t);
  write({ a: '1', b: '1', '.gitattributes': '* text=auto\n' });
  commit();
  write({ a: '2', c: '3' });
  git('add', 'c');
  const before = photograph(join(repository, '.git'));
  await unpacked(t, await sources.open(repository));
  await unpacked(t, await sources.open(repository, 'main'));
  t.deepEqual(photograph(join(repository, '.git')), before);
});

test('a source stays what it was when it was opened', async (t) => {
  const { repository, sources, write, commit } = scene(t);
  write({ a: 'committed' });
  commit();
  write({ a: 'edited' });
  const [tree, head] = [await sources.open(repository), await sources.open(repository, 'HEAD')];
  const digests = [await digest(tree), await digest(head)];
  write({ a: 'edited again', b: 'new' });
  commit();
  t.deepEqual([await digest(tree), await digest(head)], digests);
  t.is(await tree.read('a', 100), 'edited');
  t.is(await head.read('a', 100), 'committed');
});

test('a tree that equals its commit is not dirty and gives the same tar', async (t) => {
  const { repository, temporary, sources, write, commit } = scene(t);
  write({ a: '1', 'b/c': '2' });
  commit();
  fs.utimesSync(join(repository, 'a'), 1, 1);
  const [tree, head] = [await sources.open(repository), await sources.open(repository, 'HEAD')];
  t.false(tree.dirty);
  t.is(await digest(tree), await digest(head));
  t.deepEqual(fs.readdirSync(temporary), []);
});

test('an edit of the same size in the second of the commit is seen', async (t) => {
  const { repository, sources, write, commit } = scene(t);
  for (let round = 0; round < 3; round += 1) {
    write({ a: `${round}a` });
    commit();
    write({ a: `${round}b` });
    t.is(await (await sources.open(repository)).read('a', 10), `${round}b`);
  }
});

test('a repository without a commit has a working tree and a branch', async (t) => {
  const { repository, sources, write } = scene(t);
  write({ a: '1' });
  const source = await sources.open(repository);
  t.like(source, { commit: '0'.repeat(40), branch: 'main', dirty: true });
  t.deepEqual(await unpacked(t, source), { a: '1' });
  await refusal(t, sources.open(repository, 'HEAD'));
});

test('nothing that a repository configures is started', async (t) => {
  const { repository, sources, git, write, commit } = scene(t);
  write({ '.gitattributes': '* filter=evil diff=evil\n', a: '1', b: '1' });
  const other = scene(t);
  other.write({ inner: 'x' });
  other.commit();
  git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', other.repository, 'sub');
  commit();
  const touch = (name: string) => `touch ${join(repository, '..', `started-${name}`)}; cat`;
  git('config', 'filter.evil.clean', touch('clean'));
  git('config', 'filter.evil.smudge', touch('smudge'));
  git('config', 'filter.evil.process', touch('process'));
  git('config', 'filter.evil.required', 'true');
  git('config', 'diff.evil.textconv', touch('textconv'));
  git('config', 'diff.external', touch('diff'));
  git('config', 'core.pager', touch('pager'));
  git('config', 'core.fsmonitor', touch('fsmonitor'));
  git('-C', 'sub', 'config', 'core.fsmonitor', touch('fsmonitor-of-submodule'));
  git('config', 'core.sshCommand', touch('ssh'));
  git('config', 'alias.add', `!${touch('alias')}`);
  for (const hook of ['post-index-change', 'post-checkout', 'reference-transaction', 'pre-commit']) {
    fs.writeFileSync(join(repository, '.git/hooks', hook), `#!/bin/sh\n${touch(hook)}\n`, { mode: 0o755 });
  }
  write({ a: 'edited', new: 'new', 'sub/inner': 'edited' });
  t.like(await unpacked(t, await sources.open(repository)), { a: 'edited', b: '1', new: 'new' });
  t.like(await unpacked(t, await sources.open(repository, 'main')), { a: '1', b: '1' });
  t.deepEqual(fs.readdirSync(join(repository, '..')).toSorted(), ['shop-api', 'temporary']);
});

test("programs of the user's own git configuration are not started either: files are taken as they are on disk", async (t) => {
  const { repository, temporary, write, commit } = scene(t);
  write({ '.gitattributes': '*.bin filter=lfs\n', 'x.bin': 'pointer' });
  commit();
  write({ 'x.bin': 'content' });
  const home = join(repository, '../home');
  fs.mkdirSync(join(home, 'hooks'), { recursive: true });
  const touch = (name: string) => `touch ${join(home, `started-${name}`)}`;
  fs.writeFileSync(join(home, 'hooks/post-index-change'), `#!/bin/sh\n${touch('hook')}\n`, { mode: 0o755 });
  fs.writeFileSync(
    join(home, '.gitconfig'),
    `[core]\nhooksPath = ${join(home, 'hooks')}\nfsmonitor = "${touch('fsmonitor')}; cat"\n[filter "lfs"]\nclean = "${touch('clean')}; cat"\n`,
  );
  const sources = createGitSources({ environment: { ...identity, HOME: home }, temporaryFolder: temporary });
  t.teardown(() => sources.close());
  t.is(await (await sources.open(repository)).read('x.bin', 100), 'content');
  t.deepEqual(fs.readdirSync(home).toSorted(), ['.gitconfig', 'hooks']);
});

test("the caller's GIT_* variables have no say", async (t) => {
  const { repository, temporary, write, commit } = scene(t);
  write({ a: '1' });
  commit();
  const environment = {
    ...identity,
    GIT_DIR: '/nonexistent',
    GIT_INDEX_FILE: '/nonexistent',
    GIT_OBJECT_DIRECTORY: '/x',
  };
  const sources = createGitSources({ environment, temporaryFolder: temporary });
  t.deepEqual(paths(await sources.open(repository)), ['a']);
  t.deepEqual(paths(await sources.open(repository, 'main')), ['a']);
});

test('export-ignore, LFS pointers and line ends leave the committed bytes alone', async (t) => {
  const { repository, sources, write, commit } = scene(t);
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n';
  write({
    '.gitattributes': 'secret export-ignore\n*.bin filter=lfs\n*.bat eol=crlf\n',
    secret: 's',
    'x.bin': pointer,
    'a.bat': 'a\r\n',
  });
  commit();
  const source = await sources.open(repository);
  t.false(source.dirty);
  t.like(await unpacked(t, source), { secret: 's', 'x.bin': pointer, 'a.bat': 'a\n' });
});

test('odd file names are kept, names that are not UTF-8 are refused', async (t) => {
  const { repository, sources, write, commit } = scene(t);
  const files = {
    '-rf': '1',
    'two\nlines': '2',
    '"quoted"': '3',
    'tab\tbed': '4',
    ' ': '5',
    'Ω🌟': '6',
    'a\\b': '7',
    ':(glob)**': '8',
  };
  write(files);
  commit();
  t.deepEqual(await unpacked(t, await sources.open(repository)), files);
  t.deepEqual(await unpacked(t, await sources.open(repository, 'main')), files);

  fs.writeFileSync(Buffer.concat([Buffer.from(`${repository}/caf`), Buffer.from([0xe9])]), '');
  const error = await refusal(t, sources.open(repository));
  t.regex(error.message, /"caf.*" is not UTF-8/);
  t.truthy(error.hint);
});

test('submodules and repositories inside are left out', async (t) => {
  const { repository, sources, git, write, commit } = scene(t);
  const other = scene(t);
  other.write({ inner: 'x' });
  other.commit();
  write({ a: '1' });
  git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', other.repository, 'sub');
  commit();
  git('clone', '--quiet', other.repository, 'nested');
  t.deepEqual(paths(await sources.open(repository, 'main')), ['.gitmodules', 'a']);
  t.deepEqual(paths(await sources.open(repository)), ['.gitmodules', 'a']);
  t.deepEqual(paths(await sources.open(join(repository, 'sub'))), ['inner']);
});

test('linked worktrees, bare repositories and SHA-256 repositories are opened', async (t) => {
  const { repository, sources, git, write, commit } = scene(t);
  write({ a: '1' });
  const sha = commit();
  git('worktree', 'add', '--quiet', '-b', 'side', '../side');
  fs.writeFileSync(join(repository, '../side/b'), '2');
  t.like(await sources.open(join(repository, '../side')), {
    commit: sha,
    branch: 'side',
    dirty: true,
    repository: 'side',
  });
  t.false((await sources.open(repository)).dirty);

  git('clone', '--quiet', '--bare', repository, '../bare.git');
  const bare = await sources.open(join(repository, '../bare.git'));
  t.like(bare, { commit: sha, branch: 'main', dirty: false, repository: 'shop-api' });
  t.deepEqual(await unpacked(t, bare), { a: '1' });

  const long = scene(t, '--object-format=sha256');
  long.write({ a: '1' });
  t.is((await long.sources.open(long.repository)).commit, '0'.repeat(64));
  t.is((await long.sources.open(long.repository, undefined)).files.length, 1);
  const longSha = long.commit();
  long.write({ b: '2' });
  const dirty = await long.sources.open(long.repository);
  t.is(dirty.commit, longSha);
  t.deepEqual(await unpacked(t, dirty), { a: '1', b: '2' });
});

test('a merge that stopped half way and a sparse checkout are read as they stand', async (t) => {
  const { repository, sources, git, write, commit } = scene(t);
  write({ a: 'base', 'kept/x': 'x', 'left/y': 'y' });
  commit();
  git('checkout', '--quiet', '-b', 'side');
  write({ a: 'side' });
  commit();
  git('checkout', '--quiet', 'main');
  write({ a: 'main' });
  commit();
  t.throws(() => git('merge', '--quiet', 'side'));
  t.regex((await (await sources.open(repository)).read('a', 1_000)) ?? '', /<<<<<<< HEAD/);
  git('merge', '--abort');

  git('sparse-checkout', 'set', '--no-cone', 'kept', '/a');
  t.false(fs.existsSync(join(repository, 'left')));
  const source = await sources.open(repository);
  t.false(source.dirty);
  t.deepEqual(await unpacked(t, source), { a: 'main', 'kept/x': 'x', 'left/y': 'y' });
});

test('the repository is named after its first remote, without what could be secret', async (t) => {
  const { repository, sources, git, write } = scene(t);
  write({ a: '1' });
  const name = async () => (await sources.open(repository)).repository;
  git('remote', 'add', 'upstream', 'https://user:token@example.org/team/upstream.git/');
  t.is(await name(), 'upstream');
  for (const url of [
    'git@example.org:team/orders.git',
    'git@example.org:orders',
    'https://example.org/x/orders',
    '/srv/git/orders.git',
  ]) {
    git('config', 'remote.origin.url', url);
    t.is(await name(), 'orders', url);
  }
});

test('errors name the place and the next step', async (t) => {
  const { repository, temporary, sources, git, write, commit } = scene(t);
  const plain = fs.mkdtempSync(join(tmpdir(), 'sluice-plain-'));
  t.teardown(() => fs.rmSync(plain, { recursive: true }));
  const none = await refusal(t, sources.open(plain));
  t.true(none.message.includes(plain));
  t.regex(none.hint ?? '', /git init/);
  t.regex((await refusal(t, sources.open(join(plain, 'missing')))).message, /does not exist/);

  const noGit = createGitSources({ environment: { PATH: plain }, temporaryFolder: temporary });
  t.regex((await refusal(t, noGit.open(repository))).hint ?? '', /Install git/);

  write({ a: '1' });
  commit();
  const source = await sources.open(repository, 'main');
  const oid = git('rev-parse', 'main:a');
  fs.rmSync(join(repository, '.git/objects', oid.slice(0, 2), oid.slice(2)));
  const lost = await refusal(t, source.tar().toArray());
  t.regex(lost.message, /no content for a/);
  await refusal(t, source.read('a', 10));
});

(process.getuid?.() === 0 ? test : test.skip)(
  'a folder of another user is opened, since nothing of it is started',
  async (t) => {
    const { repository, sources, write, commit } = scene(t);
    write({ a: '1' });
    commit();
    execFileSync('chown', ['-R', '12345:12345', repository]);
    t.deepEqual(paths(await sources.open(repository)), ['a']);
    t.deepEqual(paths(await sources.open(repository, 'main')), ['a']);
  },
);

test('closing removes what sources hold and may be done twice; what a killed process left goes after a day', async (t) => {
  const { repository, temporary, sources, write } = scene(t);
  write({ a: '1' });
  for (const age of [0, 23, 25]) {
    const left = join(temporary, `left-${age}`);
    fs.mkdirSync(left, { recursive: true });
    fs.utimesSync(left, new Date(), new Date(Date.now() - age * 3_600_000));
  }
  await sources.open(repository);
  t.is(fs.readdirSync(temporary).length, 3);
  await sources.close();
  await sources.close();
  t.deepEqual(fs.readdirSync(temporary), ['left-0', 'left-23']);
});
