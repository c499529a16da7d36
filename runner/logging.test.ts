import { spawnSync } from 'node:child_process';
import test from 'ava';

const logging = new URL('logging.ts', import.meta.url).href;

function logLines(script: string): readonly unknown[] {
  const code = `import { createLogger } from '${logging}'; ${script}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '--eval', code]);
  if (stdout.length > 0) throw new Error(stdout.toString());
  return stderr
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

test('a log line is one JSON document on standard error, with its fields', (t) => {
  const [line, ...rest] = logLines(
    `createLogger('info').info('step started', { runId: 'r1', message: 'x', level: 'y' })`,
  );
  t.like(line, { level: 'info', message: 'step started', runId: 'r1' });
  t.deepEqual(rest, []);
});

test('lines below the level are left out', (t) => {
  const lines = logLines(
    `const log = createLogger('warn'); log.debug('a'); log.info('b'); log.warn('c'); log.error('d')`,
  );
  t.deepEqual(
    lines.map((line) => (line as { message: string }).message),
    ['c', 'd'],
  );
});

test('an error among the fields keeps its text and its cause', (t) => {
  const [line] = logLines(
    `createLogger('info').error('failed', { error: new Error('outer', { cause: new Error('inner') }) })`,
  );
  t.like(line, { error: { message: 'outer', cause: { message: 'inner' } } });
});
