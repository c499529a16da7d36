import { Readable } from 'node:stream';
import test from 'ava';
import { extract } from 'tar-stream';
import type { Header } from 'tar-stream';
import { SluiceError } from '../model/errors.ts';
import { padding, tarHeader } from './tar-header.ts';
import { writeTar } from './write-tar.ts';

/** What an independent reader makes of the first header of an archive. */
async function firstHeader(archive: Uint8Array): Promise<Header> {
  const { promise, resolve } = Promise.withResolvers<Header>();
  const reader = extract();
  reader.on('entry', (header) => resolve(header));
  reader.write(archive);
  return promise;
}

test('names and targets of every length come back from another reader', async (t) => {
  for (const length of [1, 99, 100, 101, 155, 156, 255, 985, 986, 987, 988, 989, 990, 991, 992, 999, 1_000, 4_000]) {
    const path = 'n'.repeat(length);
    const target = 't'.repeat(length);
    const header = await firstHeader(await packed({ path, kind: 'symlink', target }));
    t.deepEqual([header.name, header.linkname, header.type], [path, target, 'symlink']);
  }
});

test('sizes of 8 GiB and more do not overflow', async (t) => {
  for (const bytes of [8 * 1024 ** 3 - 1, 8 * 1024 ** 3, 9_000_000_000_001]) {
    const header = tarHeader({ path: 'huge', kind: 'file', executable: false, bytes, content: [] });
    t.is((await firstHeader(header)).size, bytes);
  }
});

test('contents are filled up to whole blocks', (t) => {
  t.deepEqual(
    [0, 1, 511, 512, 513].map((bytes) => padding(bytes).length),
    [0, 511, 1, 0, 511],
  );
});

test('a content that is longer or shorter than announced is an error', async (t) => {
  for (const bytes of [1, 3]) {
    const content = [Buffer.from('ab')];
    const writing = packed({ path: 'a', kind: 'file', executable: false, bytes, content });
    await t.throwsAsync(writing, { instanceOf: SluiceError, code: 'ERR_WORKSPACE' });
  }
});

async function packed(entry: Parameters<typeof tarHeader>[0]): Promise<Buffer> {
  return Buffer.concat((await Readable.from(writeTar([entry])).toArray()) as Uint8Array[]);
}
