import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { AttemptEnded } from '../../model/attempt-ended.ts';
import { ImageToolbox } from './image-tools.ts';

const never = new AbortController().signal;
const own = process.versions.node.split('.')[0] ?? '';
const ownPath = `${join(process.execPath, '..')}:/usr/bin:/bin`;
const parent = mkdtempSync(join(tmpdir(), 'sluice-images-'));
test.after.always(() => rmSync(parent, { recursive: true, force: true }));

/** Installs, for every package, a program `bin/node` that says it is Node 99.1.0. */
function fakeNpm(script: string): string {
  const folder = mkdtempSync(join(parent, 'bin-'));
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder;
}

const installing = `for last; do :; done
echo "$last" >> "$PWD/../asked"
to="$PWD/node_modules/\${last%@*}/bin"
mkdir -p "$to"
printf '#!/bin/sh\\necho v99.1.0\\n' > "$to/node"
chmod 755 "$to/node"`;

test('the plain image and the own major version of Node change nothing', async (t) => {
  const tools = new ImageToolbox(parent, { PATH: ownPath });
  for (const image of ['base', `node:${own}`, `docker.io/library/node:${own}-alpine`, `node-${own}`]) {
    t.deepEqual(await tools.toolsFor(image, never), { path: ownPath });
  }
});

test('images whose program is Sluice itself have it first on PATH, made when it is asked for', async (t) => {
  let made = 0;
  const programs = (): Promise<string> => {
    made += 1;
    return Promise.resolve('/our/bin');
  };
  const tools = new ImageToolbox(parent, { PATH: ownPath }, programs);
  await tools.toolsFor('base', never);
  t.is(made, 0);
  for (const image of ['sluice', 'api-tests']) {
    t.deepEqual(await tools.toolsFor(image, never), { path: `/our/bin:${ownPath}` });
  }
});

test('another image is not used, and a remark says so', async (t) => {
  const { path, note } = await new ImageToolbox(parent, { PATH: ownPath }).toolsFor('python:3.13', never);
  t.is(path, ownPath);
  t.is(note, "image python:3.13 is not used: the step runs with this machine's programs");
});

test('another major version of Node comes from npm, once, and stands first on PATH', async (t) => {
  const cache = mkdtempSync(join(parent, 'cache-'));
  const env = { PATH: `${fakeNpm(installing)}:/usr/bin:/bin` };
  const name = `node-${process.platform}-${process.arch}`;
  const results = await Promise.all(
    Array.from({ length: 3 }, () => new ImageToolbox(cache, env).toolsFor('node:99', never)),
  );
  const folder = join(cache, `${name}-99`, 'node_modules', name, 'bin');
  for (const { path, note } of results) {
    t.is(path, `${folder}:${env.PATH}`);
    t.is(note, 'Node 99.1.0 from npm stands in for image node:99');
  }
  t.deepEqual(readdirSync(cache).toSorted(), ['asked', `${name}-99`]);
});

test('a Node that cannot be had ends the attempt with the words of npm, and leaves nothing behind', async (t) => {
  const cache = mkdtempSync(join(parent, 'cache-'));
  const says = [
    'code ETARGET',
    'notarget No matching version found',
    'notarget In most cases',
    'A complete log is in /x',
  ];
  const script = says.map((line) => `echo "npm error ${line}" >&2`).join('; ');
  const env = { PATH: `${fakeNpm(`${script}; exit 1`)}:/usr/bin:/bin` };
  const error = await t.throwsAsync(new ImageToolbox(cache, env).toolsFor('node:99', never), {
    instanceOf: AttemptEnded,
  });
  t.is(error.verdict.reason, 'image_pull');
  t.regex(error.message, /: notarget No matching version found$/);
  t.deepEqual(readdirSync(cache), []);
});
