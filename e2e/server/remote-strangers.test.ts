import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlain } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { WebSocketServer } from 'ws';
import { serverCertificate, serverKey } from '../../runner/cluster/scripted-server-fixture.ts';

const launcher = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));

/** `sluice run --server` at something that is no Sluice. */
async function runAt(t: ExecutionContext, server: Server | ReturnType<typeof createTcp>, scheme = 'http') {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const folder = await mkdtemp(join(tmpdir(), 'sluice-stranger-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'token'), 'sluice_x\n');
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const wish = ['--server', url, '--token-file', 'token', '--repository', 'shop', '--commit', 'main'];
  const child = spawn(process.execPath, [launcher, 'run', ...wish], {
    cwd: folder,
    env: { ...process.env, SLUICE_HOME: join(folder, 'home'), NO_COLOR: '1' },
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}

/** Answers requests and upgrades alike. */
function answering(status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Server {
  const answer = (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, headers).end(body);
  };
  const server = createPlain(answer);
  server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} x\r\n${lines.join('')}content-length: ${body.length}\r\n\r\n${body}`);
  });
  return server;
}

/** Takes WebSockets, and says these words to each. */
function saying(words: string): Server {
  const server = createPlain();
  new WebSocketServer({ server }).on('connection', (socket) => socket.send(words));
  return server;
}

const strangers: Readonly<Record<string, readonly [() => Server, RegExp]>> = {
  'a server that fails': [() => answering(500), /it answers 500/],
  'a proxy without a server behind it': [() => answering(502, {}, '<html>Bad Gateway'), /it answers 502/],
  'a redirect': [
    () => answering(301, { location: 'https://sluice.example/' }),
    /it sends whoever asks to https:\/\/sluice\.example\/ \(301\)/,
  ],
  'a web site': [() => answering(200, { 'content-type': 'text/html' }, '<html>'), /what answers there is no Sluice/],
  'a proxy that lets no WebSocket through': [
    () => answering(200, { 'content-type': 'application/json' }, '{"status":"ok"}'),
    /takes no WebSocket; a proxy before it/,
  ],
  'half a message': [() => saying('{"type":"wel'), /no message of Sluice/],
  'a message that is no object': [() => saying('7'), /no message of Sluice/],
};

for (const [title, [open, why]] of Object.entries(strangers))
  test(`what is no Sluice, or not reached, is said to be, and ends in seconds with 3: ${title}`, async (t) => {
    const { code, out, err } = await runAt(t, open());
    t.deepEqual([code, out], [3, ''], err);
    t.regex(err, why);
    t.regex(err, /\nerror: http:\/\/127\.0\.0\.1:\d+ cannot be used: .*\n {2}Check --server/);
  });

test('a certificate of nobody who is known is named, with what to do', async (t) => {
  const { code, err } = await runAt(t, createSecure({ key: serverKey, cert: serverCertificate }), 'https');
  t.is(code, 3, err);
  t.regex(err, /cannot be used: .*certificate.*\n {2}.*NODE_EXTRA_CA_CERTS/);
});
