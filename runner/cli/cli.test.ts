import { readFileSync } from 'node:fs';
import { EventEmitter } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { nothingBut } from './dependencies-fixture.ts';
import { SluiceError } from '../model/errors.ts';
import { runCli } from './cli.ts';
import { commands } from './commands.ts';
import type { Services } from './session.ts';

const environment = { variables: {}, processors: 2, user: 'ann', dataFolder: '/data' };

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function sluice(
  words: readonly string[],
  open = (): Promise<Services> => Promise.reject(new Error('boom')),
): Promise<Said> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { stdout, stderr, cwd: '/nowhere', signals: new EventEmitter() };
  const code = await runCli(words, io, nothingBut({ version: '1.2.3', environment, open }));
  stdout.end();
  stderr.end();
  return { code, out: await text(stdout), err: await text(stderr) };
}

test('the version and help go to stdout and succeed', async (t) => {
  t.deepEqual(await sluice(['--version']), { code: 0, out: '1.2.3\n', err: '' });
  const help = await sluice(['--help']);
  t.is(help.code, 0);
  for (const { name, hidden } of commands) t.is(help.out.includes(`\n  ${name} `), !hidden, name);
});

test('without a command help goes to stderr, and it is a mistake', async (t) => {
  const said = await sluice([]);
  t.is(said.code, 2);
  t.is(said.out, '');
  t.regex(said.err, /^Usage: sluice/);
});

for (const { name } of commands) {
  test(`${name} explains itself`, async (t) => {
    const said = await sluice([name, '--help']);
    t.is(said.code, 0);
    t.regex(said.out, new RegExp(`^Usage: sluice ${name}`));
    t.regex(said.out, /--json/);
  });
}

const mistakes: readonly (readonly [words: string, message: RegExp])[] = [
  ['rnu', /^error: unknown command 'rnu'\n {2}Did you mean run\?\n$/],
  ['help rnu', /^error: unknown command 'rnu'\n {2}Did you mean run\?\n$/],
  ['run --jbos 3', /^error: unknown option '--jbos'\n {2}Did you mean --jobs\?\n$/],
  ['run --jobs 0', /^error: --jobs is "0"/],
  ['run a b', /^error: too many arguments.*\n {2}See: sluice run --help\n$/],
  ['runs -n x', /Give a whole number from 1 on/],
  ['runs --outcome green', /Allowed choices are succeeded, failed/],
  ['rerun', /^error: rerun needs to know what to repeat\n {2}Add --failed or --from STEP\.\n$/],
  ['rerun --failed --from a', /cannot be used with option/],
  ['cancel', /^error: missing required argument 'run'\n {2}See: sluice cancel --help\n$/],
  ['logs --follow --timestamps', /cannot be used with option/],
  ['completion powershell', /Allowed choices are bash, zsh, fish/],
  ['lint missing.yaml', /^error: cannot read \/nowhere\/missing\.yaml\n {2}.*sluice init/],
  ['run --secrets-file missing', /^error: cannot read the secrets file \/nowhere\/missing/],
  ['junit missing.xml', /^error: there is no file \/nowhere\/missing\.xml/],
];

for (const [words, message] of mistakes) {
  test(`a mistake is a sentence and a next step, never a stack trace: sluice ${words}`, async (t) => {
    const said = await sluice(words.split(' '));
    t.is(said.code, 2);
    t.is(said.out, '');
    t.regex(said.err, message);
    t.notRegex(said.err, /^ +at /m);
  });
}

test('with --json a mistake is one document on stdout', async (t) => {
  const said = await sluice(['rnu', '--json']);
  t.is(said.code, 2);
  t.is(said.err, '');
  t.deepEqual(JSON.parse(said.out), {
    error: { code: 'ERR_USAGE', message: "unknown command 'rnu'", hint: 'Did you mean run?' },
  });
});

const failures: readonly (readonly [code: ConstructorParameters<typeof SluiceError>[0], exit: number])[] = [
  ['ERR_USAGE', 2],
  ['ERR_NOT_FOUND', 2],
  ['ERR_SOURCE', 2],
  ['ERR_CORRUPT', 3],
  ['ERR_INTERNAL', 3],
  ['ERR_ABORTED', 130],
];

for (const [code, exit] of failures) {
  test(`${code} ends with ${exit}, its sentence and its hint`, async (t) => {
    const said = await sluice(['show'], () => Promise.reject(new SluiceError(code, 'it broke', { hint: 'Mend it.' })));
    t.deepEqual(said, { code: exit, out: '', err: 'error: it broke\n  Mend it.\n' });
  });
}

test('a defect of ours says so, with its stack trace', async (t) => {
  const said = await sluice(['show']);
  t.is(said.code, 3);
  t.regex(said.err, /^error: Error: boom\n {2}This is a defect in Sluice; please report it\.\nError: boom\n +at /);
});

test('docs/cli.md is what the commands say of themselves', async (t) => {
  t.is((await sluice(['reference'])).out, readFileSync('docs/cli.md', 'utf8'));
});

class ClosedPipe extends Writable {
  override _write(_chunk: unknown, _encoding: string, done: (error: Error) => void): void {
    done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  }
}

class FullDisk extends Writable {
  override _write(_chunk: unknown, _encoding: string, done: (error: Error) => void): void {
    done(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  }
}

test('a reader that has seen enough is no failure, a full disk is one', async (t) => {
  const stderr = new PassThrough();
  const run = (stdout: Writable) =>
    runCli(
      ['completion', 'bash'],
      { stdout, stderr, cwd: '/', signals: new EventEmitter() },
      nothingBut({ environment }),
    );
  t.is(await run(new ClosedPipe()), 0);
  t.is(await run(new FullDisk()), 3);
  stderr.end();
  t.regex(await text(stderr), /^error: the output could not be written: no space left/);
});
