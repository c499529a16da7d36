import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { pack } from 'tar-stream';
import type { Header } from 'tar-stream';
import { SluiceError } from '../model/errors.ts';
import { unpackTar } from './unpack-tar.ts';

type Member = Partial<Header> & { readonly name: string; readonly body?: string };

const corpus = new URL('../../../shared/corpus/tar/', import.meta.url);

/** An empty folder inside of a folder that holds nothing else, so that an escape is seen. */
function emptyFolder(t: ExecutionContext): string {
  const outer = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'sluice-unpack-')));
  t.teardown(() => fs.rmSync(outer, { recursive: true, force: true }));
  fs.mkdirSync(join(outer, 'workspace'));
  return join(outer, 'workspace');
}

async function archive(...members: readonly Member[]): Promise<Buffer> {
  const packed = pack();
  for (const { body = '', ...header } of members) packed.entry(header, body);
  packed.finalize();
  return Buffer.concat((await Readable.from(packed).toArray()) as Uint8Array[]);
}

function streamOf(bytes: Uint8Array): Readable {
  return Readable.from([bytes], { objectMode: false });
}

/** Every path below a folder with what is there: "dir/", "file=content", "link->target". */
function tree(folder: string, prefix = ''): readonly string[] {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      const name = prefix + entry.name;
      if (entry.isDirectory()) return [`${name}/`, ...tree(path, `${name}/`)];
      return entry.isSymbolicLink() ? `${name}->${fs.readlinkSync(path)}` : `${name}=${fs.readFileSync(path, 'utf8')}`;
    })
    .toSorted();
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return error instanceof SluiceError ? error.code : String(error);
  }
}

const file = (name: string, body = 'x'): Member => ({ name, body });
const symlink = (name: string, linkname: string): Member => ({ name, type: 'symlink', linkname });
const hardlink = (name: string, linkname: string): Member => ({ name, type: 'link', linkname });

test('files, folders and links inside are unpacked, links last', async (t) => {
  const folder = emptyFolder(t);
  const bytes = await archive(
    symlink('now', 'src/deep'),
    { name: 'src/', type: 'directory', mode: 0o555 },
    file('src/deep/a.txt', 'alpha'),
    hardlink('same.txt', 'src/deep/a.txt'),
    symlink('src/deep/up', '../../same.txt'),
    { name: 'empty/', type: 'directory' },
    file('./dot//b.txt', ''),
  );
  t.deepEqual(await unpackTar(streamOf(bytes), folder), { files: 5, bytes: 5 });
  t.deepEqual(tree(folder), [
    'dot/',
    'dot/b.txt=',
    'empty/',
    'now->src/deep',
    'same.txt=alpha',
    'src/',
    'src/deep/',
    'src/deep/a.txt=alpha',
    'src/deep/up->../../same.txt',
  ]);
});

test('permission bits are kept, the owner can always read and write, special bits are dropped', async (t) => {
  const folder = emptyFolder(t);
  const modes = { plain: 0o644, tool: 0o755, shut: 0o044, shared: 0o666, root: 0o6755 };
  const members = Object.entries(modes).map(([name, mode]) => ({ name, mode, body: 'x' }));
  await unpackTar(streamOf(await archive(...members, { name: 'locked/', type: 'directory', mode: 0o500 })), folder);
  const found = Object.keys(modes).map((name) => fs.statSync(join(folder, name)).mode & 0o7777);
  t.deepEqual(found, [0o644, 0o755, 0o644, 0o666, 0o755]);
  t.is(fs.statSync(join(folder, 'locked')).mode & 0o7777, 0o700);
});

const refused: Readonly<Record<string, readonly Member[]>> = {
  'an absolute name': [file('/tmp/sluice-escape')],
  'a name with ..': [file('../escape')],
  'a name with .. inside': [file('a/../../escape')],
  'a folder with ..': [{ name: '../folder/', type: 'directory' }],
  'an absolute link': [symlink('a', '/etc')],
  'a link that climbs out': [symlink('a/b', '../../escape')],
  'a link that climbs out through another link': [symlink('here', '.'), symlink('out', 'here/../escape')],
  'a link to its own parent at the top': [symlink('a', '..')],
  'a link without target': [symlink('a', '')],
  'a file below a link': [symlink('a', 'b'), file('b/x'), file('a/x')],
  'a file in the place of a link': [symlink('a', 'b'), file('a')],
  'a link in the place of a file': [file('a'), symlink('a', 'b')],
  'a folder in the place of a link': [symlink('a', 'b'), { name: 'a/', type: 'directory' }],
  'a file below a file': [file('a'), file('a/b')],
  'a file in the place of a folder': [file('a/b'), file('a')],
  'the same file twice': [file('a', '1'), file('a', '2')],
  'the same file twice by another spelling': [file('a/b', '1'), file('./a//b', '2')],
  'a hard link to the outside': [hardlink('a', '/etc/passwd')],
  'a hard link that climbs out': [hardlink('a', '../escape')],
  'a hard link to what is not in the archive': [hardlink('a', 'b')],
  'a hard link to a link': [symlink('l', 'x'), hardlink('a', 'l'), file('x')],
  'a character device': [{ name: 'a', type: 'character-device', devmajor: 1, devminor: 3 }],
  'a block device': [{ name: 'a', type: 'block-device', devmajor: 8 }],
  'a fifo': [{ name: 'a', type: 'fifo' }],
  'a sparse file': [{ name: 'a', body: 'x', pax: { 'GNU.sparse.major': '1' } }],
  'a file without a name': [file('./')],
  'a name with NUL': [{ name: 'a', body: 'x', pax: { path: 'a\0b' } }],
  'a name of 5,000 characters': [file('n'.repeat(5_000))],
};

for (const [what, members] of Object.entries(refused)) {
  test(`${what} is refused and nothing appears outside`, async (t) => {
    const folder = emptyFolder(t);
    const unpacking = unpackTar(streamOf(await archive(...members)), folder);
    await t.throwsAsync(unpacking, { instanceOf: SluiceError, code: 'ERR_WORKSPACE', message: /^Archive member "/ });
    t.deepEqual(fs.readdirSync(join(folder, '..')), ['workspace']);
    t.false(fs.existsSync('/tmp/sluice-escape'));
  });
}

test('a later archive replaces files and links of an earlier one, and is not written through its links', async (t) => {
  const folder = emptyFolder(t);
  const unpack = async (...members: readonly Member[]) => unpackTar(streamOf(await archive(...members)), folder);
  await unpack(file('a', 'old'), file('real/x', 'kept'), symlink('link', 'real'), symlink('other', 'real/x'));
  await unpack(file('a', 'new'), file('other', 'now a file'), file('real/y', 'added'));
  t.deepEqual(tree(folder), ['a=new', 'link->real', 'other=now a file', 'real/', 'real/x=kept', 'real/y=added']);

  t.is(await codeOf(unpack(file('link/x', 'through'))), 'ERR_WORKSPACE');
  t.is(await codeOf(unpack(file('real', 'no folder any more'))), 'ERR_WORKSPACE');
  t.is(await codeOf(unpack({ name: 'a/', type: 'directory' })), 'ERR_WORKSPACE');
  t.is(fs.readFileSync(join(folder, 'real/x'), 'utf8'), 'kept');
});

test('members named ~/… go to the home folder only when there is one', async (t) => {
  const [folder, home] = [emptyFolder(t), emptyFolder(t)];
  const bytes = await archive(file('~/.npm/x', 'cached'), file('./~/y', 'plain'), symlink('~/.npm/l', '../z'));
  await unpackTar(streamOf(bytes), folder, { home });
  t.deepEqual(tree(home), ['.npm/', '.npm/l->../z', '.npm/x=cached']);
  t.deepEqual(tree(folder), ['~/', '~/y=plain']);

  t.is(await codeOf(unpackTar(streamOf(await archive(symlink('~/l', '../z'))), folder, { home })), 'ERR_WORKSPACE');
  await unpackTar(streamOf(await archive(file('~/z', 'no home'))), folder);
  t.is(fs.readFileSync(join(folder, '~/z'), 'utf8'), 'no home');
});

test('an archive that is cut anywhere is an error, between members too', async (t) => {
  const bytes = await archive(
    file('a', 'x'.repeat(700)),
    { name: 'b/', type: 'directory' },
    file('zeros', '\0'.repeat(2_048)),
    file('d', 'd'),
    file(`${'long/'.repeat(300)}x`, 'its name takes blocks of its own'),
  );
  for (let block = 0; block <= bytes.length; block += 512) {
    for (const end of [block - 1, block, block + 1].filter((at) => at >= 0 && at < bytes.length)) {
      t.is(await codeOf(unpackTar(streamOf(bytes.subarray(0, end)), emptyFolder(t))), 'ERR_CORRUPT', `cut at ${end}`);
    }
  }
  t.is((await unpackTar(streamOf(bytes), emptyFolder(t))).files, 4);
});

test('a stream that fails half way is an error with its cause', async (t) => {
  const bytes = await archive(file('a', 'x'.repeat(100_000)));
  const broken = Readable.from(
    (async function* () {
      yield bytes.subarray(0, 50_000);
      await Promise.reject(new Error('the line went dead'));
    })(),
    { objectMode: false },
  );
  const error = await t.throwsAsync(unpackTar(broken, emptyFolder(t)), {
    instanceOf: SluiceError,
    code: 'ERR_CORRUPT',
  });
  t.regex(error.message, /the line went dead/);
});

test('limits of count and size are kept before anything larger is written', async (t) => {
  const bytes = await archive(file('a', 'x'.repeat(600)), file('b', 'x'.repeat(600)), file('c'));
  t.is(await codeOf(unpackTar(streamOf(bytes), emptyFolder(t), { maxFiles: 2 })), 'ERR_LIMIT');
  t.is(await codeOf(unpackTar(streamOf(bytes), emptyFolder(t), { maxFiles: 3, maxBytes: 1_200 })), 'ERR_LIMIT');
  t.is((await unpackTar(streamOf(bytes), emptyFolder(t), { maxFiles: 3, maxBytes: 1_201 })).bytes, 1_201);

  const endless = Readable.from(new Array<Uint8Array>(100).fill(new Uint8Array(1_024)), { objectMode: false });
  t.is(await codeOf(unpackTar(endless, emptyFolder(t), { maxFiles: 1, maxBytes: 1 })), 'ERR_LIMIT');
});

test('an aborted unpacking ends at once with ERR_ABORTED', async (t) => {
  const bytes = await archive(file('a', 'x'.repeat(100_000)));
  t.is(await codeOf(unpackTar(streamOf(bytes), emptyFolder(t), {}, AbortSignal.abort())), 'ERR_ABORTED');

  const controller = new AbortController();
  const waiting = Readable.from(
    (async function* () {
      yield bytes.subarray(0, 50_000);
      controller.abort();
      await new Promise(() => undefined);
    })(),
    { objectMode: false },
  );
  t.is(await codeOf(unpackTar(waiting, emptyFolder(t), {}, controller.signal)), 'ERR_ABORTED');
});

interface CorpusEntry {
  readonly file: string;
  /** The list names the first ones only when there are many. */
  readonly memberCount: number;
  readonly members: readonly (readonly [name: string, kind: string, bytes: number, target: string])[];
}

/** Archives of the corpus that are not unpacked, and why. All others are, with the members that its list has. */
const corpusRefusals: Readonly<Record<string, string>> = {
  '001-tar-split-gnu-incremental.tar': 'ERR_WORKSPACE', // a dump folder and a sparse file of 512 MiB
  '005-tar-split-gnu-nil-sparse-hole.tar': 'ERR_WORKSPACE', // sparse
  '013-tar-split-issue10968.tar': 'ERR_CORRUPT', // no header
  '017-tar-split-nil-uid.tar': 'ERR_CORRUPT', // no end mark
  '029-tar-split-pax-sparse-big.tar': 'ERR_WORKSPACE', // sparse
  '037-tar-split-writer-big.tar': 'ERR_CORRUPT', // a header alone
  '045-node-tar-links-strip.tar': 'ERR_CORRUPT', // no end mark
  '069-safearchive-case-insensitive.tar': 'ERR_WORKSPACE',
  '073-safearchive-traverse-via-links.tar': 'ERR_WORKSPACE',
};

const longName = `170-byte-filename-${'c'.repeat(152)}`;

/** Where the list has the name of a global header, which is no name of a file, or shortens a long one. */
const corpusNames: Readonly<Record<string, readonly string[]>> = {
  '021-tar-split-pax-global-records.tar': ['file1=0', 'file2=0', 'file3=0', 'file4=0'],
  '049-node-tar-next-file-has-long.tar': [`${longName}=100`, `longlink->${longName}`],
};

function corpusBytes(name: string): Buffer {
  const bytes = fs.readFileSync(new URL(name, corpus));
  return bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
}

/** The corpus stands beside the project where the project is developed, not in every clone. */
function readCorpus(): readonly CorpusEntry[] {
  const list = new URL('expected.json', corpus);
  if (fs.existsSync(list)) return JSON.parse(fs.readFileSync(list, 'utf8')) as readonly CorpusEntry[];
  test.skip('corpus of foreign archives', (t) => t.fail());
  return [];
}

for (const { file: name, members, memberCount } of readCorpus()) {
  test(`corpus: ${name} is ${name in corpusRefusals ? 'refused' : 'unpacked as listed'}`, async (t) => {
    const folder = emptyFolder(t);
    const code = await codeOf(unpackTar(streamOf(corpusBytes(name)), folder));
    t.is(code, corpusRefusals[name] ?? 'no error');
    t.deepEqual(fs.readdirSync(join(folder, '..')), ['workspace']);
    if (name in corpusRefusals) return;

    const listed = members.map(([path, kind, bytes, target]) => {
      if (kind === 'dir') return `${path.replace(/\/$/, '')}/`;
      return kind === 'symlink' ? `${path}->${target}` : `${path}=${bytes}`;
    });
    const found = tree(folder).map((line) => line.replace(/=.*$/s, (content) => `=${Buffer.byteLength(content) - 1}`));
    for (const line of corpusNames[name] ?? listed) t.true(found.includes(line), line);
    const folders = found.filter((line) => line.endsWith('/')).length;
    const listedFolders = memberCount === members.length ? listed.filter((line) => line.endsWith('/')).length : folders;
    t.is(found.length - folders, memberCount - listedFolders);
  });
}
