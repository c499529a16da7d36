import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { digestOf } from './digest.ts';
import { emptyFolder, folderWith } from './folder-fixture.ts';
import { makeLayer } from './layer.ts';
import type { Layer } from './layer.ts';

async function layerOf(
  t: ExecutionContext,
  folder: string,
  destination = '/app',
): Promise<Layer & { readonly file: string }> {
  const file = join(emptyFolder(t), 'layer');
  return { ...(await makeLayer({ folder, destination }, file, new AbortController().signal)), file };
}

test('a layer is what its digests say, and other programs read it', async (t) => {
  const large = randomBytes(3_500_000);
  const layer = await layerOf(t, folderWith(t, { large, 'lib/small': 'small' }));
  const compressed = fs.readFileSync(layer.file);
  t.like(layer.descriptor, { digest: digestOf(compressed), size: compressed.length });
  const tar = execFileSync('gzip', ['-dc', layer.file], { maxBuffer: 10_000_000 });
  t.is(layer.diffId, digestOf(tar));
  t.deepEqual(execFileSync('tar', ['-xOf', '-', 'app/large'], { input: tar, maxBuffer: 10_000_000 }), large);
  t.deepEqual(await buffer(layer.blob.open(1_000, 2_000)), compressed.subarray(1_000, 2_000));
});

test('the bytes of a layer do not say which system compressed them, or when', async (t) => {
  const { file } = await layerOf(t, folderWith(t, { a: 'a' }));
  t.deepEqual([...fs.readFileSync(file).subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
});

const destinations: readonly (readonly [destination: string, first: string])[] = [
  ['/', 'a'],
  ['/app', 'app/'],
  ['//srv/./app/', 'srv/app/'],
];

for (const [destination, first] of destinations) {
  test(`files can lie in ${destination}`, async (t) => {
    const { file } = await layerOf(t, folderWith(t, { a: 'a' }), destination);
    t.is(execFileSync('tar', ['-tzf', file]).toString().split('\n')[0], first);
  });
}

for (const destination of ['app', '', '/../app', '/a/../../b', '/a\0']) {
  test(`${JSON.stringify(destination)} is no place in an image`, async (t) => {
    await t.throwsAsync(layerOf(t, folderWith(t, { a: 'a' }), destination), { code: 'ERR_USAGE' });
  });
}

test('a name that means "deleted" in a layer is refused', async (t) => {
  for (const path of ['.wh.a', 'lib/.wh..wh..opq', '.wh.folder/a']) {
    const error = await t.throwsAsync(layerOf(t, folderWith(t, { [path]: '' })), { code: 'ERR_WORKSPACE' });
    t.regex(error.message, /"deleted"/);
  }
  await t.notThrowsAsync(layerOf(t, folderWith(t, { 'a.wh.b': '', '.whale': '' })));
});

test('an empty folder is a layer too', async (t) => {
  const { file } = await layerOf(t, emptyFolder(t));
  t.is(execFileSync('tar', ['-tzf', file]).toString(), 'app/\n');
});

test('packing ends when nobody wants it any more', async (t) => {
  const file = join(emptyFolder(t), 'layer');
  const folder = folderWith(t, { large: Buffer.alloc(50_000_000) });
  await t.throwsAsync(makeLayer({ folder, destination: '/app' }, file, AbortSignal.timeout(20)));
});
