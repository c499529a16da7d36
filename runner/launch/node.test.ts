import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test from 'ava';
import { isFit, isInstalled } from './node.js';

test('Sluice runs on Node 22.19 and later', (t) => {
  const versions = ['16.20.2', '20.20.2', '22.9.0', '22.18.1', '22.19.0', '22.23.3', '23.6.0', '24.0.0', '100.0.0'];
  t.deepEqual(
    versions.filter((version) => isFit(version)),
    ['22.19.0', '22.23.3', '23.6.0', '24.0.0', '100.0.0'],
  );
});

test('packages are installed when npm went through since the lock file changed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const lock = join(folder, 'package-lock.json');
  writeFileSync(lock, '{}');
  t.false(isInstalled(folder));
  mkdirSync(join(folder, 'node_modules'));
  t.false(isInstalled(folder), 'an installation that was broken off');
  writeFileSync(join(folder, 'node_modules', '.package-lock.json'), '{}');
  t.true(isInstalled(folder));
  const later = Date.now() / 1_000 + 5;
  utimesSync(lock, later, later);
  t.false(isInstalled(folder), 'the lock file changed');
});

const launcher = fileURLToPath(new URL('.', import.meta.url));
const start = (args: readonly string[]) => spawnSync(process.execPath, args, { cwd: tmpdir(), encoding: 'utf8' });

test('what setup.js runs gives its exit code, also when a signal ended it', (t) => {
  t.is(start([`${launcher}setup.js`, 'sh', '-c', 'exit 7']).status, 7);
  t.is(start([`${launcher}setup.js`, 'sh', '-c', 'kill -TERM $$']).status, 143);
  t.is(start([`${launcher}setup.js`, 'no-such-program']).status, 1);
});

test('tools of node_modules are found from any folder', (t) => {
  t.regex(start([`${launcher}setup.js`, 'tsc', '--version']).stdout, /^Version \d/);
});

test('only the warnings that everybody gets on Node 22 are hidden', (t) => {
  const script = `
    process.argv[1] = 'sluice'; process.argv.push('--version');
    await import(${JSON.stringify(pathToFileURL(`${launcher}sluice.js`))});
    process.emitWarning('SQLite is an experimental feature and might change at any time', 'ExperimentalWarning');
    process.emitWarning('Type Stripping is an experimental feature and might change', 'ExperimentalWarning');
    process.emitWarning('Buffer() is deprecated', 'DeprecationWarning');
    process.emitWarning(new Error('SQLite broke'));`;
  const { stdout, stderr, status } = start(['--input-type=module', '--eval', script]);
  t.is(status, 0);
  t.regex(stdout, /^\d+\.\d+\.\d+\n$/);
  t.notRegex(stderr, /experimental/);
  t.regex(stderr, /DeprecationWarning: Buffer\(\) is deprecated/);
  t.regex(stderr, /SQLite broke/);
});
