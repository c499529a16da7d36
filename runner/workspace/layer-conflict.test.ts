import { Readable } from 'node:stream';
import test from 'ava';
import { findLayerConflict } from './layer-conflict.ts';
import type { Layer, LayerConflict } from './layer-conflict.ts';
import type { TarEntry } from './tar-header.ts';
import { writeTar } from './write-tar.ts';

/** "dir/" is a folder, "link->target" a link, anything else an empty file. */
function layer(name: string, ...members: readonly string[]): Layer {
  return { name, open: () => Promise.resolve(writeTar(members.map(entryOf))) };
}

function entryOf(text: string): TarEntry {
  const [path = '', target] = text.split('->');
  if (target !== undefined) return { path, kind: 'symlink', target };
  if (path.endsWith('/')) return { path: path.slice(0, -1), kind: 'folder' };
  return { path, kind: 'file', executable: false, bytes: 0, content: [] };
}

const cases: readonly (readonly [what: string, layers: readonly Layer[], conflict: LayerConflict | undefined])[] = [
  ['layers with files of their own', [layer('a', 'dist/a', 'x/'), layer('b', 'dist/b', 'x/')], undefined],
  ['one layer that says a folder twice', [layer('a', 'dist/', 'dist/a', 'dist/')], undefined],
  ['one layer with a file twice', [layer('a', 'x', 'x'), layer('b', 'y')], undefined],
  ['no layer', [], undefined],
  [
    'the same file',
    [layer('a', 'dist/x'), layer('b', 'y'), layer('c', './dist/x')],
    { path: 'dist/x', first: 'a', second: 'c' },
  ],
  ['a file and a link', [layer('a', 'x'), layer('b', 'x->y')], { path: 'x', first: 'a', second: 'b' }],
  ['a file and a folder', [layer('a', 'x'), layer('b', 'x/')], { path: 'x', first: 'a', second: 'b' }],
  [
    'a folder around a file, and a file',
    [layer('a', 'x/y/z'), layer('b', 'x/y')],
    { path: 'x/y', first: 'a', second: 'b' },
  ],
  ['a link, and a file below it', [layer('a', 'x->y'), layer('b', 'x/y/z')], { path: 'x', first: 'a', second: 'b' }],
];

for (const [what, layers, conflict] of cases) {
  test(`${what}: ${conflict === undefined ? 'no conflict' : `${conflict.path} is named with both steps`}`, async (t) => {
    t.deepEqual(await findLayerConflict(layers), conflict);
  });
}

test('a layer that is no whole archive is an error', async (t) => {
  const broken: Layer = { name: 'a', open: () => Promise.resolve(Readable.from([Buffer.alloc(512)])) };
  await t.throwsAsync(findLayerConflict([broken]), { code: 'ERR_CORRUPT' });
});
