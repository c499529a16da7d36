import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { SluiceError } from '../model/errors.ts';
import { makeTemporaryFolder, writeTemporary } from './temporary-files.ts';

const never = new AbortController().signal;

async function* pieces(...texts: readonly (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text instanceof Error) throw text;
    yield await Promise.resolve(Buffer.from(text));
  }
}

test('what is written is there, and folders are new', async (t) => {
  const [one, two] = [await makeTemporaryFolder(), await makeTemporaryFolder()];
  t.teardown(() => [one, two].forEach((folder) => rmSync(folder, { recursive: true })));
  await writeTemporary(join(one, 'file'), pieces('a', 'b'), never);
  t.is(readFileSync(join(one, 'file'), 'utf8'), 'ab');
  t.deepEqual(readdirSync(two), []);
});

test('a full disk is told with what to do, and a fault of the source as what it is', async (t) => {
  const full = await t.throwsAsync(writeTemporary('/dev/full', pieces('a'), never), { instanceOf: SluiceError });
  t.is(full.code, 'ERR_WORKSPACE');
  t.regex(full.hint ?? '', /TMPDIR/);
  const own = new SluiceError('ERR_CORRUPT', 'cut');
  t.is(await t.throwsAsync(writeTemporary('/dev/null', pieces('a', own), never)), own);
});
