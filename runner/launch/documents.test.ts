import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { isFit } from './node.js';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

interface PackageFile {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const { engines, dependencies, devDependencies, optionalDependencies } = JSON.parse(
  read('package.json'),
) as PackageFile;

/** Names and rooms of the tables of docs/dependencies.md: one for each kind of package. */
function documented(part: number): readonly (readonly [name: string, room: string])[] {
  const section = read('docs/dependencies.md').split('\n## ')[part] ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|([^|]*)\|/gm)].map(([, name = '', room = '']) => [name, room.trim()]);
}

test('docs/dependencies.md and package.json name the same packages', (t) => {
  const names = (part: number): readonly string[] =>
    documented(part)
      .map(([name]) => name)
      .toSorted();
  t.deepEqual(names(1), Object.keys(dependencies).toSorted());
  t.deepEqual(names(2), Object.keys({ ...devDependencies, ...optionalDependencies }).toSorted());
});

test('docs/dependencies.md and docs/architecture.md agree on who owns a package', (t) => {
  const rows = read('docs/architecture.md').matchAll(/^\| `([\w.-]+)` \|[^|]*\|[^|]*\|([^|]*)\|$/gm);
  const owners = Map.groupBy(
    [...rows].flatMap(([, room, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => ({ room, name }))),
    ({ name }) => name,
  );
  for (const [name, room] of documented(1)) {
    t.is(
      owners
        .get(name)
        ?.map((owner) => `\`${owner.room ?? ''}\``)
        .join(' '),
      room,
      name,
    );
  }
});

test('versions are exact and the lock file names no registry', (t) => {
  for (const version of Object.values({ ...dependencies, ...devDependencies })) t.regex(version, /^\d+\.\d+\.\d+$/);
  for (const folder of ['', 'runner/launch/node/', 'examples/tasks-service/']) {
    t.notRegex(read(`${folder}package-lock.json`), /"resolved"/, folder);
  }
});

test('links between pages lead somewhere', (t) => {
  const page = read('README.md');
  const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
  t.true(links.length > 10);
  for (const link of links.filter((name) => !name.includes(':') && name !== 'docs/adr'))
    t.notThrows(() => read(link), link);
});

test('the pipelines of this repository and of its README have no problems', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [, snippet = ''] = /```yaml\n(.*?)```/s.exec(read('README.md')) ?? [];
  writeFileSync(join(folder, 'sluice.yaml'), snippet);
  const root = fileURLToPath(new URL('../..', import.meta.url));
  for (const place of [folder, root, join(root, 'examples/tasks-service')]) {
    const args = [join(root, 'runner/launch/sluice.js'), 'lint', '--json', '-C', place];
    t.deepEqual(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })), { problems: [] });
  }
});

test('the launcher and package.json ask for the same Node', (t) => {
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? [];
  t.true(isFit(`${major ?? ''}.${minor ?? ''}.0`));
  t.false(isFit(`${major ?? ''}.${Number(minor) - 1}.0`));
});
