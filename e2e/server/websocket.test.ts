import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { Client } from './client.ts';
import { announce, Place } from './served.ts';
import type { Hook } from './served.ts';

const green = 'pipeline: shop\non: { push: { branches: [main] } }\nsteps: { unit: { run: echo tested } }\n';

async function setUp(t: ExecutionContext, forge = 'git') {
  const place = await Place.open(t);
  const commit = await place.push(green);
  const url = join(place.folder, 'shop.git');
  const hook = (await place.sluice('repository', 'add', 'shop', '--forge', forge, '--url', url)) as Hook;
  const newToken = async (...args: readonly string[]) =>
    ((await place.sluice('token', 'create', '--name', 'test', ...args)) as { readonly secret: string }).secret;
  const token = await newToken('--role', 'maintainer');
  await place.serve();
  return { place, commit, hook, token, newToken };
}

async function validator() {
  const schemas = new URL('../../schemas/', import.meta.url);
  const schema = JSON.parse(await readFile(new URL('websocket.schema.json', schemas), 'utf8')) as object;
  const ajv = new Ajv2020({ strict: false }).addSchema(schema);
  return ajv.compile({ $ref: 'websocket.schema.json#/$defs/serverMessage' });
}

test('E6, R001-16 to R001-24: a client sends commit and test command, and gets progress, log and result as JSON', async (t) => {
  const { place, commit, token } = await setUp(t);
  const client = await Client.greet(place.url, token);
  client.say({
    type: 'run',
    id: 'one',
    repository: 'shop',
    commit,
    command: { run: 'echo "testing äöü"; cat sluice.yaml | head -1' },
  });
  const { runId = '' } = await client.answer('one');
  client.say({ type: 'subscribe', id: 'watch', runId, logs: true });
  const result = await client.hear(({ type }) => type === 'result');
  t.like(result.report, { outcome: 'succeeded', request: { trigger: { commit } } });
  t.is(
    client.heard
      .filter(({ type }) => type === 'log')
      .map(({ text }) => text)
      .join(''),
    'testing äöü\npipeline: shop\n',
  );
  const told = client.heard.flatMap(({ event }) => event?.type ?? []);
  t.is(told[0], 'run-requested');
  t.is(told.at(-1), 'run-finished');
  const isMessage = await validator();
  for (const message of client.heard) t.true(isMessage(message), JSON.stringify([message, isMessage.errors]));
});

test('a client may ask for a priority, and only a maintainer for a higher one than others have', async (t) => {
  const { place, commit, token, newToken } = await setUp(t);
  const run = { type: 'run', repository: 'shop', commit, command: { run: 'true' } };
  const developer = await Client.greet(place.url, await newToken('--role', 'developer'));
  developer.say({ ...run, id: 'high', priority: 1 });
  const refused = await developer.hear(({ type, re }) => type === 'refused' && re === 'high');
  t.like(refused.problem, { status: 403, code: 'forbidden', place: 'message/priority' });
  developer.say({ ...run, id: 'low', priority: -1 });
  t.like(await developer.answer('low'), { outcome: 'run' });
  const maintainer = await Client.greet(place.url, token);
  maintainer.say({ ...run, id: 'high', priority: 101 });
  t.like((await maintainer.hear(({ re }) => re === 'high')).problem, { status: 400, place: 'message/priority' });
  maintainer.say({ ...run, id: 'higher', priority: 100 });
  t.like(await maintainer.answer('higher'), { outcome: 'run' });
  const rows = await place.ended(2);
  t.deepEqual(
    rows.map(({ priority }) => priority),
    [100, -1],
  );
});

test('R001-22: exit code, timeout and mistakes of a command are told apart', async (t) => {
  const { place, commit, token } = await setUp(t);
  const client = await Client.greet(place.url, token);
  const commands = {
    red: { run: 'exit 3' },
    slow: { run: 'sleep 60', timeout: '1s' },
    killed: { run: 'kill -9 $$' },
    untested: { run: 'true', junit: ['none.xml'] },
    wrong: { run: 'true', timeout: 'soon' },
    templated: { run: 'echo ${{ branch }}' },
  };
  for (const [id, command] of Object.entries(commands)) {
    client.say({ type: 'run', id, repository: 'shop', commit, command });
    const { runId } = await client.answer(id);
    client.say({ type: 'subscribe', id: `of ${id}`, runId });
  }
  const reasonOf = async (id: string) => {
    const { report } = await client.hear(({ type, subscription }) => type === 'result' && subscription === `of ${id}`);
    const [step] = (
      report as unknown as { readonly steps: readonly { readonly reason?: string; readonly outcome?: string }[] }
    ).steps;
    return step?.reason ?? step?.outcome ?? report?.reason;
  };
  t.is(await reasonOf('red'), 'exit_code');
  t.is(await reasonOf('slow'), 'timeout');
  t.is(await reasonOf('killed'), 'signalled');
  t.is(await reasonOf('untested'), 'no_tests');
  t.is(await reasonOf('wrong'), 'pipeline_invalid');
  t.is(await reasonOf('templated'), 'pipeline_invalid');
  client.say({ type: 'run', id: 'nope', repository: 'shop', commit: 'no-such-branch', command: { run: 'true' } });
  t.like(await client.answer('nope'), { type: 'refused', problem: { status: 422 } });
  client.say({ type: 'run', id: 'typo', repository: 'shop', commit, comand: {} });
  t.like(await client.answer('typo'), { type: 'refused', problem: { status: 400, place: 'message/comand' } });
});

test('R001-24, F-28: after a cut and a restart the same id is the same run, and what was missed is told', async (t) => {
  const { place, commit, token } = await setUp(t);
  const wish = { type: 'run', id: 'mine', repository: 'shop', commit, command: { run: 'sleep 1; echo done' } };
  const first = await Client.greet(place.url, token);
  first.say({ type: 'subscribe', id: 'all' });
  first.say(wish);
  const { runId } = await first.answer('mine');
  const seen = await first.hear(({ event }) => event?.type === 'run-requested');
  await first.end();
  const second = await Client.greet(place.url, token);
  second.say(wish);
  t.is((await second.answer('mine')).runId, runId);
  second.say({ type: 'subscribe', id: 'all', after: seen.position });
  await second.hear(({ type }) => type === 'result');
  await place.kill();
  await place.serve();
  const third = await Client.greet(place.url, token);
  third.say(wish);
  t.is((await third.answer('mine')).runId, runId);
  third.say({ type: 'subscribe', id: 'all', after: seen.position });
  await third.hear(({ type }) => type === 'result');
  const events = (client: Client) =>
    client.heard.filter(({ type }) => type === 'event').map(({ position }) => position);
  t.deepEqual(events(third), events(second));
  t.is((await place.runs()).length, 1);
});

test('R000-9, R001-24: a backend is made, watched and deleted by messages; after a cut and a restart the same id is done once', async (t) => {
  const { place, newToken } = await setUp(t);
  t.teardown(() => place.sluice('environments', 'stop'));
  const token = await newToken('--role', 'admin');
  const services = { api: { start: 'node server.js', port: 3000 } };
  const create = {
    type: 'create-backend',
    id: 'make',
    backend: { name: 'orders', repository: 'shop', protected: false, services },
  };
  const cut = await Client.greet(place.url, token);
  cut.say(create);
  await cut.end();
  const first = await Client.greet(place.url, token);
  first.say(create);
  const made = await first.answer('make');
  t.like(made, { type: 'accepted', answer: { name: 'orders', repository: 'shop', protected: false } });
  // Done once: what somebody else changed meanwhile is not undone by the same id.
  await place.sluice('backend', 'protect', 'orders');
  await place.kill();
  await place.serve();

  const second = await Client.greet(place.url, token);
  second.say(create);
  t.deepEqual((await second.answer('make')).answer, made.answer);
  second.say({ type: 'get-backend', id: 'look', name: 'orders', watch: true });
  t.like((await second.answer('look')).answer, { name: 'orders', protected: true, previews: [] });
  second.say({ type: 'delete-backend', id: 'early', name: 'orders', confirm: 'orders' });
  t.like(await second.answer('early'), { type: 'refused', problem: { status: 409, code: 'conflict' } });
  await place.sluice('backend', 'unprotect', 'orders');
  await second.hear(({ type, status }) => type === 'backend' && status?.['protected'] === false);
  await second.end();

  const third = await Client.greet(place.url, token);
  third.say({ type: 'get-backend', id: 'look', name: 'orders', watch: true });
  t.like((await third.answer('look')).answer, { protected: false });
  third.say({ type: 'delete-backend', id: 'end', name: 'orders', confirm: 'other', graceSeconds: 0 });
  t.like(await third.answer('end'), { type: 'refused', problem: { status: 409, code: 'usage' } });
  const remove = { type: 'delete-backend', id: 'end', name: 'orders', confirm: 'orders', graceSeconds: 0 };
  third.say({ ...remove, id: 'ended' });
  const { answer } = await third.answer('ended');
  t.like(answer, { backend: 'orders', lost: { databases: [], releases: [] } });
  t.is((await third.hear(({ type }) => type === 'backend')).status, undefined);

  const fourth = await Client.greet(place.url, token);
  fourth.say({ ...remove, id: 'ended' });
  t.deepEqual((await fourth.answer('ended')).answer, answer);
  fourth.say({ ...remove, id: 'ended', graceSeconds: 5 });
  t.like(await fourth.hear(({ type }) => type === 'refused'), { problem: { status: 422, place: 'message/id' } });
  fourth.say({ ...remove, id: 'again' });
  t.like(await fourth.answer('again'), { problem: { status: 404 } });
  const isMessage = await validator();
  for (const message of [first, second, third, fourth].flatMap(({ heard }) => heard))
    t.true(isMessage(message), JSON.stringify([message, isMessage.errors]));
});

test('messages about backends ask for the rights of the routes, and are refused as those are', async (t) => {
  const { place, newToken, token } = await setUp(t);
  t.teardown(() => place.sluice('environments', 'stop'));
  await place.sluice('repository', 'add', 'bank', '--forge', 'git', '--url', join(place.folder, 'shop.git'));
  const backend = { name: 'orders', repository: 'shop' };
  const maintainer = await Client.greet(place.url, token);
  maintainer.say({ type: 'create-backend', id: 'make', backend });
  await maintainer.answer('make');
  const outsider = await Client.greet(place.url, await newToken('--role', 'admin', '--repository', 'bank'));
  const developer = await Client.greet(place.url, await newToken('--role', 'developer'));
  const statusOf = async (client: Client, message: object): Promise<number | undefined> => {
    const id = String(client.heard.length);
    client.say({ ...message, id });
    return (await client.answer(id)).problem?.status;
  };
  const remove = { type: 'delete-backend', name: 'orders', confirm: 'orders' };
  const look = { type: 'get-backend', name: 'orders' };
  t.deepEqual(
    [
      await statusOf(maintainer, remove),
      await statusOf(developer, { type: 'create-backend', backend }),
      await statusOf(developer, remove),
      await statusOf(developer, look),
      await statusOf(outsider, { type: 'create-backend', backend }),
      await statusOf(outsider, look),
      await statusOf(outsider, remove),
      await statusOf(outsider, { ...look, name: 'nobody' }),
      await statusOf(outsider, { type: 'create-backend', backend: { ...backend, repository: 'bank' } }),
      await statusOf(maintainer, {
        type: 'create-backend',
        backend: { name: 'x', repository: 'shop', services: { db: { start: 'x' } } },
      }),
    ],
    [403, 403, 403, undefined, 404, 404, 404, 404, 409, 400],
  );
});

test('R001-10: a backend that is told of a run may cancel it', async (t) => {
  const { place, commit, token } = await setUp(t);
  const client = await Client.greet(place.url, token);
  client.say({ type: 'subscribe', id: 'all' });
  await client.answer('all');
  client.say({ type: 'run', id: 'slow', repository: 'shop', commit, command: { run: 'sleep 60' } });
  const { runId } = await client.hear(({ event }) => event?.type === 'attempt-started');
  client.say({ type: 'cancel', id: 'stop', runId });
  t.like(await client.answer('stop'), { type: 'accepted' });
  t.like((await client.hear(({ type }) => type === 'result')).report, { outcome: 'cancelled' });
});

test('R001-2, R001-3: a bare repository announces pushes by its hook; a server that is away hears of them later; a webhook of the same push starts nothing more', async (t) => {
  const { place, commit, hook, newToken } = await setUp(t, 'gitea');
  const bare = join(place.folder, 'shop.git');
  const tokenFile = join(place.folder, 'bridge-token');
  await writeFile(tokenFile, await newToken('--role', 'developer', '--repository', 'shop'));
  const launcher = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
  const port = new URL(place.url).port;
  const install = async () => {
    const script = join(bare, 'hooks', 'post-receive');
    const home = place.environment['SLUICE_HOME'];
    await writeFile(
      script,
      `#!/bin/sh\nunset GIT_DIR\nSLUICE_HOME='${home}' exec '${process.execPath}' '${launcher}' bridge --server '${place.url}' --repository shop --token-file '${tokenFile}'\n`,
    );
    await chmod(script, 0o755);
  };
  await install();
  const next = await place.push(green);
  t.like(await place.ended(1), [{ commit: next, outcome: 'succeeded' }]);
  t.like(await announce(place.url, hook, next, { before: commit }), {
    body: { deliveries: [{ outcome: 'duplicate' }] },
  });
  await place.kill();
  const missed = await place.push(green);
  t.true((await readFile(join(bare, 'sluice-bridge.spool'), 'utf8')).includes(missed));
  await place.serve();
  t.not(new URL(place.url).port, port);
  await install();
  const last = await place.push(green);
  const runs = await place.ended(3);
  t.deepEqual(runs.map((run) => run.commit).toSorted(), [next, missed, last].toSorted());
});

test('trust.md A13: strangers, pages of other sites, revoked tokens and floods are sent away', async (t) => {
  const { place, newToken } = await setUp(t);
  const stranger = await Client.open(place.url);
  stranger.say({ type: 'subscribe', id: 'all' });
  t.like(await stranger.hear(({ type }) => type === 'refused'), { problem: { status: 401 } });
  while (!stranger.closed) await sleep(20);
  t.is(stranger.closed.code, 4401);

  const { hostname, port } = new URL(place.url);
  const statusOf = (headers: Record<string, string>, path = '/v1/websocket') =>
    new Promise<number | undefined>((resolve, reject) => {
      const upgrade = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      const asked = request({ hostname, port, path, headers: { ...upgrade, ...headers } });
      asked.on('response', ({ statusCode }) => resolve(statusCode));
      asked.on('upgrade', (_answer, socket) => {
        socket.destroy();
        resolve(101);
      });
      asked.on('error', reject).end();
    });
  t.is(await statusOf({}), 101);
  t.is(await statusOf({ origin: 'https://evil.example' }), 403);
  t.is(await statusOf({}, '/v1/elsewhere'), 404);

  const other = await newToken('--role', 'admin', '--repository', 'bank');
  const outsider = await Client.greet(place.url, other);
  outsider.say({ type: 'run', id: 'x', repository: 'shop', commit: 'main', command: { run: 'true' } });
  outsider.say({ type: 'subscribe', id: 'y', repository: 'nowhere' });
  const [foreign, absent] = [await outsider.answer('x'), await outsider.answer('y')];
  t.is(foreign.problem?.status, 404);
  t.deepEqual(foreign.problem, absent.problem);

  const { tokens } = (await place.sluice('token', 'list')) as {
    readonly tokens: readonly { readonly id: string; readonly role: string }[];
  };
  const id = tokens.find(({ role }) => role === 'admin')?.id ?? '';
  await place.sluice('token', 'revoke', id);
  for (let tries = 0; !outsider.closed && tries < 100; tries++) await sleep(50);
  t.is(outsider.closed?.code, 4401);

  const flood = await Client.greet(place.url, await newToken('--role', 'viewer'));
  for (let message = 0; message < 5_000; message++) flood.say({ type: 'unsubscribe', id: String(message) });
  while (!flood.closed) await sleep(20);
  t.is(flood.closed.code, 4429);
  t.is((await fetch(`${place.url}/healthz`)).status, 200);
});

for (const [language, file] of [
  ['TypeScript', 'client.ts'],
  ['Python', 'client.py'],
] as const) {
  test(`R001-37: the client in ${language} gets log and result`, async (t) => {
    const { place, commit, token } = await setUp(t);
    const script = fileURLToPath(new URL(`../../examples/clients/${file}`, import.meta.url));
    const program = language === 'Python' ? await pythonWith('websockets') : process.execPath;
    const talk = (command: string, secret = token) =>
      promisify(execFile)(program, [script, place.url, 'shop', commit, command], {
        env: { ...place.environment, SLUICE_TOKEN: secret },
      });
    const { stdout, stderr } = await talk('echo from a client');
    t.regex(stdout, /^from a client\nrun \S+: succeeded\n$/);
    t.is(stderr, '', 'it ends without complaints of its own');
    await t.throwsAsync(talk('exit 3'), { code: 1 });
    await t.throwsAsync(talk('true', 'sluice_wrong'), { message: /token is not good|Command failed/ });
  });
}

/** A Python that has the package, kept between runs of the tests. */
async function pythonWith(name: string): Promise<string> {
  const folder = join(homedir(), '.cache', `sluice-python-${name}`);
  const python = join(folder, 'bin', 'python');
  const has = await promisify(execFile)(python, ['-c', `import ${name}`]).then(
    () => true,
    () => false,
  );
  if (has) return python;
  await promisify(execFile)('python3', ['-m', 'venv', folder]);
  await promisify(execFile)(python, ['-m', 'pip', 'install', '--quiet', name]);
  return python;
}
