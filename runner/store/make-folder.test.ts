import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { SluiceError } from '../model/errors.ts';
import { makeFolder } from './make-folder.ts';

const parent = mkdtempSync(join(tmpdir(), 'sluice-folder-'));
test.after.always(() => rmSync(parent, { recursive: true, force: true }));

test('a folder is made with those above it, for this user only, by however many at once', async (t) => {
  const folder = join(parent, 'a', 'b');
  await Promise.all([makeFolder(folder), makeFolder(folder), makeFolder(folder)]);
  await makeFolder(folder);
  t.is(statSync(folder).mode & 0o777, 0o700);
  t.is(statSync(join(parent, 'a')).mode & 0o777, 0o700);
});

const file = join(parent, 'file');
writeFileSync(file, '');
for (const folder of [file, join(file, 'below'), ...(process.platform === 'linux' ? ['/proc/sluice/data'] : [])]) {
  test(`the folder ${folder.replace(parent, '')} cannot be made, which is said with the next step`, async (t) => {
    const error = await t.throwsAsync(makeFolder(folder), { instanceOf: SluiceError, code: 'ERR_UNREADABLE' });
    t.true(error.message.includes(folder));
    t.truthy(error.hint);
  });
}
