import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { blobsContract, sha256OfHello, streamOf } from '../../runner/store/blobs-contract.ts';
import { openS3Blobs } from '../../runner/store/s3-blobs.ts';

// Versity's gateway: an S3 server over a folder, with signatures, multipart uploads and conditional writes, built from its Go module.
const version = 'v1.8.0';
const tools = join(homedir(), '.cache', 'sluice-cluster', 'bin');
const program = join(tools, `versitygw-${version}`);
const keys = { accessKeyId: 'sluice', secretAccessKey: 'secret key' };

let gateway: ChildProcess;
let root: string;
let port: number;

test.before(async () => {
  if (!existsSync(program)) await build();
  root = await mkdtemp(join(tmpdir(), 'sluice-s3-'));
  port = await freePort();
  const argv = ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', '--sidecar', join(root, 'meta'), join(root, 'data')];
  for (const folder of ['meta', 'data', 'spool']) await mkdir(join(root, folder));
  const env = { ...process.env, ROOT_ACCESS_KEY_ID: keys.accessKeyId, ROOT_SECRET_ACCESS_KEY: keys.secretAccessKey };
  gateway = spawn(program, argv, { env, stdio: 'ignore' });
  while (!(await fetch(`http://127.0.0.1:${port}/`).then(Boolean, () => false))) await sleep(50);
});

test.after.always(async () => {
  const ended = once(gateway, 'exit');
  gateway.kill('SIGKILL');
  await ended;
  await rm(root, { recursive: true, force: true });
});

async function build(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-go-'));
  await promisify(execFile)('go', ['install', `github.com/versity/versitygw/cmd/versitygw@${version}`], {
    env: { ...process.env, GOBIN: folder },
  });
  await mkdir(tools, { recursive: true });
  await promisify(execFile)('mv', [join(folder, 'versitygw'), program]);
  await rm(folder, { recursive: true });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function newBucket() {
  const name = `b${randomBytes(6).toString('hex')}`;
  await mkdir(join(root, 'data', name));
  const url = (at = port) => `s3://${name}/some/prefix?endpoint=http://127.0.0.1:${at}`;
  const folder = join(root, 'data', name, 'some', 'prefix');
  return { url, folder, open: (at?: number) => openS3Blobs({ url: url(at), ...keys }, join(root, 'spool')) };
}

blobsContract(async () => {
  const { folder, open } = await newBucket();
  return {
    open: () => open(),
    names: () => readdir(folder).catch(() => []),
    damage: (sha256, bytes) => writeFile(join(folder, sha256), bytes),
  };
});

test('what is stored in parts comes back whole, and a second time nothing is stored', async (t) => {
  const { folder, open } = await newBucket();
  const blobs = await open();
  const pieces = Array.from({ length: 50 }, (_, index) => Buffer.alloc(1_000_000, `${index}`));
  const { sha256, bytes } = await blobs.put(Readable.from(pieces));
  t.is(bytes, 50_000_000);
  t.is(await blobs.size(sha256), bytes);
  t.is(Buffer.byteLength(await text(await blobs.open(sha256))), bytes);
  t.is((await blobs.put(Readable.from(pieces))).sha256, sha256);
  t.deepEqual(await readdir(folder), [sha256]);
});

test('nothing is left on this machine', async (t) => {
  const { url } = await newBucket();
  const spool = join(root, 'own');
  const blobs = await openS3Blobs({ url: url(), ...keys }, spool);
  const slow = new Readable({ read: () => undefined });
  slow.push('hel');
  const storing = blobs.put(slow);
  await sleep(200);
  t.deepEqual(await readdir(spool), [], 'not even while it is on its way');
  slow.push('lo');
  slow.push(null);
  t.is((await storing).sha256, sha256OfHello);
});

test('a connection that breaks is tried again', async (t) => {
  const { open } = await newBucket();
  const proxy = await TcpProxy.open('127.0.0.1', port);
  t.teardown(() => proxy.close());
  const blobs = await open(proxy.port);
  proxy.set('refuse');
  const storing = blobs.put(streamOf('hello'));
  await sleep(300);
  proxy.set('pass');
  t.is((await storing).sha256, sha256OfHello);
  t.is(await text(await blobs.open(sha256OfHello)), 'hello');
});

test('a wrong key and a wrong address are said with the next step', async (t) => {
  const { url } = await newBucket();
  const spool = join(root, 'spool');
  const wrong = await openS3Blobs({ url: url(), ...keys, secretAccessKey: 'wrong' }, spool);
  await t.throwsAsync(wrong.put(streamOf('hello')), { code: 'ERR_UNREADABLE', message: /SignatureDoesNotMatch/ });
  await t.throwsAsync(openS3Blobs({ url: 'http://bucket', ...keys }, spool), { code: 'ERR_USAGE' });
});
