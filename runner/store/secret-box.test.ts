import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { openSecretBox } from './secret-box.ts';

async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-box-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

test('what is sealed is opened by every process of the data folder, and tells nothing', async (t) => {
  const folder = await newFolder(t);
  const [one, two] = await Promise.all([openSecretBox(folder), openSecretBox(folder)]);
  const sealed = one.seal('päss-wörd', 'repository shop');
  t.is(two.open(sealed, 'repository shop'), 'päss-wörd');
  t.not(one.seal('päss-wörd', 'repository shop'), sealed);
  t.false(Buffer.from(sealed, 'base64').includes('ss-w'));
  t.is((await stat(join(folder, 'secret.key'))).mode & 0o777, 0o600);
});

test('what was changed, moved or sealed with another key is not opened', async (t) => {
  const box = await openSecretBox(await newFolder(t));
  const other = await openSecretBox(await newFolder(t));
  const sealed = box.seal('password', 'a');
  const changed = `${sealed.slice(0, 40)}${sealed[40] === 'A' ? 'B' : 'A'}${sealed.slice(41)}`;
  for (const [reader, text, context] of [
    [box, changed, 'a'],
    [box, sealed, 'b'],
    [other, sealed, 'a'],
    [box, '', 'a'],
    [box, sealed.slice(0, 20), 'a'],
  ] as const) {
    t.throws(() => reader.open(text, context), { code: 'ERR_SEALED' });
  }
});

test('a key that is none is reported', async (t) => {
  const folder = await newFolder(t);
  await writeFile(join(folder, 'secret.key'), 'short');
  await t.throwsAsync(openSecretBox(folder), { code: 'ERR_CORRUPT', message: /secret\.key/ });
});
