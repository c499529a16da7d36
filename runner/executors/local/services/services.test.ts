import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { PlanService, RunStep } from '../../../model/plan.ts';
import type { AttemptOutcome } from '../../executor.ts';
import { Recorder } from '../../testing/recorder.ts';
import { specOf, stepOf } from '../../testing/spec-of.ts';
import { loseAttempt } from '../../testing/lose-attempt.ts';
import { readJournal } from '../attempt-folder.ts';
import { createLocalExecutor } from '../local-executor.ts';

const baseEnv = { PATH: process.env['PATH'] ?? '' };
const parent = mkdtempSync(join(tmpdir(), 'sluice-services-'));
const cache = join(parent, 'cache');
// The first start of a version makes the data that all others copy.
test.before(async (t) => {
  const { outcome } = await run(stepOf('true', { services: [database('db')] }));
  t.is(outcome.outcome, 'succeeded', outcome.message);
});
test.after.always(() => rmSync(parent, { recursive: true, force: true }));

function database(name: string, env: PlanService['env'] = {}, more: Partial<PlanService> = {}): PlanService {
  return { name, image: 'postgres', env, ...more };
}

async function run(
  step: RunStep,
  path = baseEnv.PATH,
): Promise<{ readonly outcome: AttemptOutcome; readonly seen: Recorder }> {
  const executor = createLocalExecutor({ folder: mkdtempSync(join(parent, 'work-')), cache, baseEnv: { PATH: path } });
  const seen = new Recorder();
  try {
    return { outcome: await executor.execute(specOf(step), seen), seen };
  } finally {
    await executor.close();
  }
}

function processesWith(text: string): readonly string[] {
  return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(text));
}

test('a step finds its databases by their variables, and nothing is left of them afterwards', async (t) => {
  const url = { parts: ['url=', { cel: 'main-db' }] };
  const step = stepOf('echo "$MAIN_DB_HOST $MAIN_DB_PORT $MAIN_DB_URL $OTHER_PORT $URL"', {
    services: [
      database('main-db', { POSTGRES_USER: 'app', POSTGRES_PASSWORD: 'p@ss', POSTGRES_DB: 'shop' }),
      database('other'),
    ],
    env: { URL: url },
  });
  const { outcome, seen } = await run(step);
  t.is(outcome.outcome, 'succeeded', outcome.message);
  const [host, port = '', address, otherPort, rendered] = seen.text.trim().split(' ');
  t.is(host, '127.0.0.1');
  t.is(address, `postgres://app:p%40ss@127.0.0.1:${port}/shop`);
  t.is(rendered, `url=${String(address)}`);
  t.not(port, otherPort);
  t.deepEqual(processesWith(`-p ${port} `), []);
  t.is(seen.notes.filter((note) => /^service (main-db|other): \S+\/postgres \d+/.test(note)).length, 2);
});

test('a database without a password takes any, one with a password asks for it', async (t) => {
  const answer = (name: string): string =>
    `node -e 'const s = require("net").connect(process.env.${name}_PORT, "127.0.0.1");` +
    `const p = Buffer.from("user\\0postgres\\0\\0"); const h = Buffer.alloc(8); h.writeInt32BE(p.length + 8, 0); h.writeInt32BE(196608, 4);` +
    `s.write(Buffer.concat([h, p])); s.once("data", (d) => { console.log("${name}", d.readInt32BE(5)); s.end(); })'`;
  const services = [database('open'), database('closed', { POSTGRES_PASSWORD: 'secret' })];
  const { outcome, seen } = await run(stepOf(`${answer('OPEN')}\n${answer('CLOSED')}`, { services }));
  t.is(outcome.outcome, 'succeeded', outcome.message);
  // 0: access granted; 10: SASL, which is how SCRAM is asked for.
  t.is(seen.text, 'OPEN 0\nCLOSED 10\n');
});

test('the `ready` command of the file decides when the step starts, and one that is missing here does not block it', async (t) => {
  const ready = 'test "$PGPORT" -gt 0 && { test -e again || { touch again; exit 1; }; }';
  const services = [database('db', {}, { ready }), database('other', {}, { ready: 'no-such-client' })];
  const { outcome } = await run(stepOf('true', { services }));
  t.is(outcome.outcome, 'succeeded', outcome.message);
});

test('a service that does not start is `service_failed`, names itself, and takes the others with it', async (t) => {
  const services = [database('good'), database('bad', { POSTGRES_INITDB_ARGS: '--no-such-option' })];
  const { outcome, seen } = await run(stepOf('echo ran', { services }));
  t.like(outcome, { outcome: 'errored', reason: 'service_failed' });
  t.regex(outcome.message ?? '', /service "bad": .*no-such-option/s);
  t.is(seen.text, '');
});

test('the log of a server that ended before it was ready is shown', async (t) => {
  const folder = mkdtempSync(join(parent, 'bin-'));
  writeFileSync(
    join(folder, 'redis-server'),
    '#!/bin/sh\n[ "$1" = --version ] && echo v=7.2.4 && exit\necho cannot read my settings\nexit 1\n',
    { mode: 0o755 },
  );
  openToServices(folder);
  const step = stepOf('echo ran', { services: [{ name: 'cache', image: 'redis:7', env: {} }] });
  const { outcome, seen } = await run(step, `${folder}:/usr/bin:/bin`);
  t.is(outcome.reason, 'service_failed');
  t.regex(outcome.message ?? '', /service "cache": it ended before it was ready/);
  t.is(seen.text, '--- last lines of service cache\ncannot read my settings\n---\n');
});

test('Redis without a server on this machine says how to get one', async (t) => {
  const step = stepOf('true', { services: [{ name: 'cache', image: 'redis:7', env: {} }] });
  const { outcome } = await run(step, emptyFolder());
  t.like(outcome, { outcome: 'errored', reason: 'service_failed' });
  t.regex(outcome.message ?? '', /service "cache": redis:7 needs a local server: install redis-server/);
});

test('a service is ready once it answers in its own protocol, and a version that differs is told', async (t) => {
  const folder = mkdtempSync(join(parent, 'bin-'));
  const server = `require('net').createServer((s) => s.on('data', () => s.end('+PONG\\r\\n'))).listen(process.argv[3], '127.0.0.1')`;
  writeFileSync(join(folder, 'server.js'), `setTimeout(() => ${server}, 200)`);
  writeFileSync(
    join(folder, 'valkey-server'),
    `#!/bin/sh\n[ "$1" = --version ] && echo Valkey server v=8.0.1 && exit\nexec "${process.execPath}" "${folder}/server.js" "$@"\n`,
    { mode: 0o755 },
  );
  openToServices(folder);
  const step = stepOf('echo "$CACHE_URL" | sed "s/$CACHE_PORT/PORT/"', {
    services: [
      { name: 'cache', image: 'docker.io/valkey/valkey:9-alpine', env: {}, ready: 'redis-cli ping | grep PONG' },
    ],
  });
  const { outcome, seen } = await run(step, `${folder}:/usr/bin:/bin`);
  t.is(outcome.outcome, 'succeeded', `${outcome.message ?? ''}${seen.text}`);
  t.is(seen.text, 'redis://127.0.0.1:PORT\n');
  t.deepEqual(seen.notes, [
    `service cache: ${folder}/valkey-server 8.0.1, not the docker.io/valkey/valkey:9-alpine asked for`,
  ]);
});

test('a service that nobody knows is refused before the run, with the list of known ones', (t) => {
  const executor = createLocalExecutor({ folder: parent, baseEnv });
  const services = [database('db'), { name: 'queue', image: 'rabbitmq:4', env: {} }];
  const reason = executor.unsupportedReason(stepOf('true', { services }));
  t.is(reason, 'service "queue": the local executor cannot run rabbitmq:4; it knows postgres, redis, valkey');
  t.is(
    executor.unsupportedReason(stepOf('true', { services: [database('db', {}, { image: 'postgres:16-alpine' })] })),
    undefined,
  );
});

test('a service that dies ends its step, with what it said last', async (t) => {
  // Only the server of this step listens on its port. Its children have the same folder, whose file goes with the server.
  const script =
    'for file in /proc/*/cwd/postmaster.pid; do if [ "$(sed -n 4p "$file")" = "$DB_PORT" ]; then kill -INT "$(sed -n 1p "$file")"; break; fi; done 2>/dev/null; sleep 60';
  const { outcome, seen } = await run(stepOf(script, { services: [database('db')] }));
  t.like(outcome, { outcome: 'errored', reason: 'service_failed' });
  t.is(outcome.message, 'service "db" ended with exit code 0 while the step needed it');
  t.regex(seen.text, /--- last lines of service db\n[^]*shut down/);
});

test('a step that is stopped while its services start never begins', async (t) => {
  const controller = new AbortController();
  const executor = createLocalExecutor({ folder: mkdtempSync(join(parent, 'work-')), cache, baseEnv });
  const seen = new Recorder(controller.signal);
  const ending = executor.execute(specOf(stepOf('echo ran', { services: [database('db')] })), seen);
  setTimeout(() => controller.abort('cancelled'), 200);
  t.like(await ending, { outcome: 'cancelled', reason: 'cancelled' });
  await executor.close();
  t.is(seen.text, '');
});

test('the services of a lost attempt are ended and their data is removed', async (t) => {
  const folder = mkdtempSync(join(parent, 'work-'));
  const spec = specOf(stepOf('echo "$DB_PORT"; sleep 600', { services: [database('db')] }));
  const place = await loseAttempt(folder, baseEnv, spec);
  const data = readJournal(place['folder'] as string)?.folders ?? [];
  t.is(data.length, 1);
  t.true(data.every((path) => existsSync(path)));
  const executor = createLocalExecutor({ folder, baseEnv });
  t.is((await executor.recover(spec, place, new Recorder())).reason, 'runner_lost');
  await executor.close();
  t.false(data.some((path) => existsSync(path)));
  t.deepEqual(processesWith(data[0] ?? ''), []);
});

/** Services of a runner that is root run as somebody else. */
function openToServices(folder: string): void {
  for (const path of [parent, folder]) chmodSync(path, 0o755);
}

function emptyFolder(): string {
  return mkdtempSync(join(parent, 'empty-'));
}
