import { readFile } from 'node:fs/promises';
import test from 'ava';
import { makeFiles } from './make-files.ts';

test('what is made from the schemas is up to date; `node runner/language/generate/generate.ts` makes it anew', async (t) => {
  const files = await makeFiles();
  t.is(files.size, 4);
  for (const [file, content] of files) t.is(await readFile(file, 'utf8'), content, file);
});
