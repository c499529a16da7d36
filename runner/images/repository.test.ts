import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { SluiceError } from '../model/errors.ts';
import { digestOf } from './digest.ts';
import type { Credential } from './registry-credentials.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryReason } from './registry-error.ts';
import { Repository } from './repository.ts';
import { ScriptedRegistry, answer, cutBody, loseAnswer, silent } from './scripted-registry-fixture.ts';

const never = new AbortController().signal;
const ada: Credential = { username: 'ada', password: 'open sesame' };
const basic = `Basic ${Buffer.from('ada:open sesame').toString('base64')}`;
const ok = answer(200);
const uploads = '/v2/app/blobs/uploads/';

function open({ host }: { readonly host: string }, credential?: Credential, signal = never): Repository {
  const access = { credentials: () => credential, plainHttp: [] };
  return new Repository({ host, repository: 'app' }, access, signal, { push: true });
}

function blobOf(bytes: Buffer) {
  return {
    digest: digestOf(bytes),
    size: bytes.length,
    open: (start: number, end: number) => Readable.from([bytes.subarray(start, end)]),
  };
}

function descriptorOf(bytes: Buffer | string) {
  return { mediaType: 'x/y', digest: digestOf(bytes), size: Buffer.byteLength(bytes) };
}

async function failsWith(t: ExecutionContext, work: Promise<unknown>, reason: RegistryReason): Promise<RegistryError> {
  const error = await t.throwsAsync(work, { instanceOf: RegistryError });
  t.is(error.reason, reason, error.message);
  return error;
}

test('an upload goes on at the byte that the registry got last', async (t) => {
  const bytes = randomBytes(3_000_000);
  const registry = await ScriptedRegistry.start(
    t,
    ok,
    answer(202, { location: `${uploads}1?state=a` }),
    cutBody,
    answer(204, { range: '0-999999', location: `${uploads}1?state=b` }),
    answer(201),
  );
  await open(registry).upload(blobOf(bytes));
  const [first, again] = [registry.received[2], registry.received[4]];
  t.is(first?.headers['content-range'], '0-2999999');
  t.is(first?.path, `${uploads}1?state=a&digest=${encodeURIComponent(digestOf(bytes))}`);
  t.is(again?.headers['content-range'], '1000000-2999999');
  t.is(again?.path, `${uploads}1?state=b&digest=${encodeURIComponent(digestOf(bytes))}`);
  t.is(again?.bytes, 2_000_000);
});

test('an upload that the registry has whole needs no more bytes', async (t) => {
  const registry = await ScriptedRegistry.start(
    t,
    ok,
    answer(202, { location: `${uploads}1` }),
    cutBody,
    answer(204, { range: '0-99999' }),
    answer(201),
  );
  await open(registry).upload(blobOf(randomBytes(100_000)));
  t.like(registry.received[4], { method: 'PUT', bytes: 0 });
});

test('an upload that the registry forgot begins anew, unless the blob is there by then', async (t) => {
  const forgotten = await ScriptedRegistry.start(
    t,
    ok,
    answer(202, { location: `${uploads}1` }),
    cutBody,
    answer(404),
    answer(404),
    answer(202, { location: `${uploads}2` }),
    answer(201),
  );
  await open(forgotten).upload(blobOf(randomBytes(100_000)));
  t.like(forgotten.received[6], { method: 'PUT', bytes: 100_000, headers: { 'content-range': '0-99999' } });

  const done = await ScriptedRegistry.start(
    t,
    ok,
    answer(202, { location: `${uploads}1` }),
    loseAnswer,
    answer(404),
    answer(200),
  );
  await open(done).upload(blobOf(randomBytes(100_000)));
  t.deepEqual(
    done.asked.map((line) => line.split(' ')[0]),
    ['GET', 'POST', 'PUT', 'GET', 'HEAD'],
  );
});

test('an upload of which the registry says that it has more than there is begins anew', async (t) => {
  const registry = await ScriptedRegistry.start(
    t,
    ok,
    answer(202, { location: `${uploads}1` }),
    cutBody,
    answer(204, { range: '0-99999999999' }),
    answer(404),
    answer(202, { location: `${uploads}2` }),
    answer(201),
  );
  await open(registry).upload(blobOf(randomBytes(100_000)));
  t.like(registry.received[6], { method: 'PUT', bytes: 100_000 });
});

for (const status of [400, 404, 416]) {
  test(`an upload that is refused with ${status} begins anew`, async (t) => {
    const registry = await ScriptedRegistry.start(
      t,
      ok,
      answer(202, { location: `${uploads}1` }),
      answer(status),
      answer(404),
      answer(202, { location: `${uploads}2` }),
      answer(201),
    );
    await open(registry).upload(blobOf(randomBytes(1_000)));
    t.true(registry.asked[5]?.startsWith(`PUT ${uploads}2?digest=`));
  });
}

test('a large blob goes in chunks, each where the registry says, the last one with the digest', async (t) => {
  const registry = await ScriptedRegistry.start(
    t,
    ok,
    answer(202, { location: '1', 'oci-chunk-min-length': String(80 * 1024 * 1024) }),
    answer(202, { location: '2', range: '0-83886079' }),
    answer(201),
  );
  const size = 100 * 1024 * 1024;
  const open64 = (start: number, end: number): Readable => Readable.from(zeros(end - start));
  await open(registry).upload({ digest: 'sha256:0', size, open: open64 });
  t.deepEqual(
    registry.received
      .slice(2)
      .map(({ method, path, headers, bytes }) => [method, path, headers['content-range'], bytes]),
    [
      ['PATCH', `${uploads}1`, '0-83886079', 83_886_080],
      ['PUT', `${uploads}2?digest=sha256%3A0`, '83886080-104857599', 20_971_520],
    ],
  );
});

function* zeros(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536));
}

test('a busy registry is asked again, not before it wants to be, and not for ever', async (t) => {
  const registry = await ScriptedRegistry.start(t, ok, answer(429, { 'retry-after': '1' }), ok);
  const start = performance.now();
  t.true(await open(registry).hasBlob('sha256:0'));
  t.true(performance.now() - start > 990);

  const broken = await ScriptedRegistry.start(t, ok, answer(503), loseAnswer, answer(500), ok);
  t.true(await open(broken).hasBlob('sha256:0'));

  const closed = await ScriptedRegistry.start(t, ...Array.from({ length: 20 }, () => answer(503)));
  const error = await failsWith(t, open(closed).hasBlob('sha256:0'), 'busy');
  t.is(closed.received.length, 6);
  t.regex(error.message, /127\.0\.0\.1:\d+\/app: .* \(503\)$/);
});

test('a door or a token that was not to be had is asked for again', async (t) => {
  const door = await ScriptedRegistry.start(t, loseAnswer, answer(503), ok, ok);
  t.true(await open(door).hasBlob('sha256:0'));

  const token = await ScriptedRegistry.start(t, answer(503), loseAnswer, answer(200, {}, '{"token":"good"}'));
  const challenge = answer(401, { 'www-authenticate': `Bearer realm="http://${token.host}/token"` });
  const registry = await ScriptedRegistry.start(t, challenge, challenge, challenge, ok);
  t.true(await open(registry, ada).hasBlob('sha256:0'));
  t.is(registry.received.at(-1)?.headers.authorization, 'Bearer good');
});

test('a wait for a busy registry ends with the signal', async (t) => {
  const registry = await ScriptedRegistry.start(t, ok, answer(429, { 'retry-after': '3600' }));
  const start = performance.now();
  await t.throwsAsync(open(registry, undefined, AbortSignal.timeout(300)).hasBlob('sha256:0'));
  t.true(performance.now() - start < 5_000);
});

test('a registry that answers never is waited for until the signal', async (t) => {
  const registry = await ScriptedRegistry.start(t, ok, silent);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  const work = open(registry, undefined, controller.signal).hasBlob('sha256:0');
  await t.throwsAsync(work, { instanceOf: SluiceError, code: 'ERR_ABORTED' });
});

test('an upload is sent to no other host', async (t) => {
  const other = await ScriptedRegistry.start(t);
  for (const location of [`http://${other.host}/v2/`, '//registry.example/v2/', 'https://registry.example/v2/']) {
    const registry = await ScriptedRegistry.start(t, ok, answer(202, { location }));
    const error = await failsWith(t, open(registry, ada).upload(blobOf(randomBytes(10))), 'unsafe_address');
    t.is(error.code, 'ERR_FORBIDDEN');
  }
  t.deepEqual(other.received, []);
});

test('a chunk too goes to no other host than the first', async (t) => {
  const other = await ScriptedRegistry.start(t);
  const registry = await ScriptedRegistry.start(
    t,
    ok,
    answer(202, { location: `${uploads}1` }),
    cutBody,
    answer(204, { range: '0-9', location: `http://${other.host}/` }),
  );
  await failsWith(t, open(registry).upload(blobOf(randomBytes(100_000))), 'unsafe_address');
  t.deepEqual(other.received, []);
});

test('a redirect to another host is followed without credentials, one to the same host with them', async (t) => {
  const content = 'content of a layer';
  const other = await ScriptedRegistry.start(t, answer(200, {}, content));
  const registry = await ScriptedRegistry.start(
    t,
    answer(401, { 'www-authenticate': 'Basic realm="r"' }),
    answer(307, { location: '/elsewhere' }),
    answer(307, { location: `http://${other.host}/blob` }),
  );
  const bytes = await open(registry, ada).readBlob(descriptorOf(content));
  t.is(bytes.toString(), content);
  t.deepEqual(
    registry.received.map(({ headers }) => headers.authorization),
    [undefined, basic, basic],
  );
  t.is(other.received[0]?.headers.authorization, undefined);
});

test('redirects to plain HTTP elsewhere, to what is no address, and without end, are refused', async (t) => {
  const content = descriptorOf('x');
  const away = await ScriptedRegistry.start(t, ok, answer(302, { location: 'http://169.254.169.254/latest' }));
  await failsWith(t, open(away).readBlob(content), 'unsafe_address');
  const file = await ScriptedRegistry.start(t, ok, answer(302, { location: 'file:///etc/passwd' }));
  await failsWith(t, open(file).readBlob(content), 'unsafe_address');
  const nothing = await ScriptedRegistry.start(t, ok, answer(302, { location: 'http://' }));
  await failsWith(t, open(nothing).readBlob(content), 'refused');
  const circle = await ScriptedRegistry.start(
    t,
    ok,
    ...Array.from({ length: 9 }, () => answer(302, { location: '/' })),
  );
  await failsWith(t, open(circle).readBlob(content), 'refused');
});

test('bytes that are not those of the digest are never handed on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-blob-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [right, wrong] = ['right', 'wrong'].map((text) => Buffer.from(text)) as [Buffer, Buffer];
  const lies = (): Promise<ScriptedRegistry> => ScriptedRegistry.start(t, ok, answer(200, {}, wrong));
  await failsWith(t, open(await lies()).readBlob(descriptorOf(right)), 'corrupt');
  await failsWith(t, open(await lies()).saveBlob(descriptorOf(right), join(folder, 'a')), 'corrupt');
  await failsWith(t, open(await lies()).manifest(digestOf(right)), 'corrupt');
  const longer = await ScriptedRegistry.start(t, ok, answer(200, {}, Buffer.concat([right, Buffer.alloc(1_000_000)])));
  await failsWith(t, open(longer).saveBlob(descriptorOf(right), join(folder, 'b')), 'corrupt');
  t.true(!existsSync(join(folder, 'b')) || readFileSync(join(folder, 'b')).length <= 5);
});

test('a download that is cut is made again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-blob-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const content = randomBytes(200_000);
  const registry = await ScriptedRegistry.start(
    t,
    ok,
    (request, response) => {
      response.writeHead(200, { 'content-length': String(content.length) });
      response.write(content.subarray(0, 100_000), () => request.socket.destroy());
    },
    answer(200, {}, content),
  );
  await open(registry).saveBlob(descriptorOf(content), join(folder, 'blob'));
  t.deepEqual(readFileSync(join(folder, 'blob')), content);
});

test('a manifest without end is not read to its end', async (t) => {
  const registry = await ScriptedRegistry.start(t, ok, answer(200, {}, Buffer.alloc(5 * 1024 * 1024)));
  await failsWith(t, open(registry).manifest('v1'), 'corrupt');
});

test('what is no registry is told from one that lacks the image', async (t) => {
  const page = await ScriptedRegistry.start(t, answer(404, { 'content-type': 'text/html' }, '<html>'));
  await failsWith(t, open(page).manifest('v1'), 'not_a_registry');
  const empty = await ScriptedRegistry.start(t, ok, answer(404));
  const error = await failsWith(t, open(empty).manifest('v1'), 'unknown_image');
  t.is(error.code, 'ERR_NOT_FOUND');
  t.regex(error.message, /app:v1 is not in the registry/);
});

test('what a registry complains of is told in one line, without control characters', async (t) => {
  const complaint = JSON.stringify({ errors: [{ code: 'DENIED', message: `no\u001b[31m\n${'x'.repeat(1_000)}` }] });
  const registry = await ScriptedRegistry.start(t, ok, answer(403, {}, complaint));
  const error = await failsWith(t, open(registry).manifest('v1'), 'denied');
  t.regex(error.message, /\(403, DENIED: no \[31m x+\)$/);
  t.true(error.message.length < 500);
});

test('a password is shown only to a registry that asks for one', async (t) => {
  const registry = await ScriptedRegistry.start(t, ok, ok);
  await open(registry, ada).hasBlob('sha256:0');
  t.deepEqual(
    registry.received.map(({ headers }) => headers.authorization),
    [undefined, undefined],
  );
});

test('an error of a connection that a password went over does not know it', async (t) => {
  const lost = Array.from({ length: 6 }, () => loseAnswer);
  const registry = await ScriptedRegistry.start(t, answer(401, { 'www-authenticate': 'Basic realm="r"' }), ...lost);
  const error = await failsWith(t, open(registry, ada).hasBlob('sha256:0'), 'unreachable');
  t.is(registry.received.at(-1)?.headers.authorization, basic);
  const all = inspect(error, { depth: 20, showHidden: true });
  t.false(all.includes('sesame') || all.includes(basic));
});

test('a token is fetched for what will be done, and once more when it has become too old', async (t) => {
  const token = await ScriptedRegistry.start(
    t,
    answer(200, {}, '{"token":"first"}'),
    answer(200, {}, '{"access_token":"second","expires_in":1}'),
  );
  const challenge = { 'www-authenticate': `Bearer realm="http://${token.host}/token?account=1",service="r"` };
  const registry = await ScriptedRegistry.start(t, answer(401, challenge), ok, answer(401, challenge), ok);
  const access = { credentials: () => ada, plainHttp: [] };
  const place = { host: registry.host, repository: 'app' };
  const repository = new Repository(place, access, never, { push: true, mountFrom: 'base' });
  t.true(await repository.hasBlob('sha256:0'));
  t.true(await repository.hasBlob('sha256:1'));
  t.deepEqual(
    registry.received.map(({ headers }) => headers.authorization),
    [undefined, 'Bearer first', 'Bearer first', 'Bearer second'],
  );
  const query = new URLSearchParams(token.received[0]?.path.split('?')[1]);
  t.deepEqual(query.getAll('scope'), ['repository:app:pull,push', 'repository:base:pull']);
  t.deepEqual([query.get('account'), query.get('service')], ['1', 'r']);
  t.is(token.received[0]?.headers.authorization, basic);
});

test('an identity token is exchanged, and stands in no address', async (t) => {
  const token = await ScriptedRegistry.start(t, (_request, response, body) => {
    const form = new URLSearchParams(body.toString());
    response.writeHead(form.get('refresh_token') === 'refresh' ? 200 : 400).end('{"access_token":"good"}');
  });
  const challenge = { 'www-authenticate': `Bearer realm="http://${token.host}/token",service="r"` };
  const registry = await ScriptedRegistry.start(t, answer(401, challenge), ok);
  t.true(await open(registry, { identityToken: 'refresh' }).hasBlob('sha256:0'));
  t.is(registry.received[1]?.headers.authorization, 'Bearer good');
  t.deepEqual(token.asked, ['POST /token']);
});

const badTokens: readonly (readonly [title: string, reply: ReturnType<typeof answer>])[] = [
  ['refuses', answer(401, {}, '{"token":"x"}')],
  ['answers without a token', answer(200, {}, '{}')],
  ['answers with a token that would be a header of its own', answer(200, {}, '{"token":"a\\r\\nx: y"}')],
  ['answers with a page', answer(200, {}, '<html>')],
];

for (const [title, reply] of badTokens) {
  test(`a token service that ${title} is an error that says who`, async (t) => {
    const token = await ScriptedRegistry.start(t, reply);
    const challenge = { 'www-authenticate': `Bearer realm="http://${token.host}/token"` };
    const registry = await ScriptedRegistry.start(t, answer(401, challenge));
    const error = await failsWith(t, open(registry, ada).hasBlob('sha256:0'), 'unauthorized');
    t.true(error.message.includes(token.host));
    t.notRegex(error.message, /sesame/);
  });
}

test('a password is not sent to a token service without TLS elsewhere', async (t) => {
  const challenge = { 'www-authenticate': 'Bearer realm="http://auth.example/token"' };
  const registry = await ScriptedRegistry.start(t, answer(401, challenge));
  await failsWith(t, open(registry, ada).hasBlob('sha256:0'), 'unsafe_address');
});

test('a mount that the registry declines is no error', async (t) => {
  const registry = await ScriptedRegistry.start(t, ok, answer(202, { location: `${uploads}1` }), answer(201));
  const repository = open(registry);
  t.false(await repository.mount('sha256:0', 'base'));
  t.true(await repository.mount('sha256:0', 'base'));
});
