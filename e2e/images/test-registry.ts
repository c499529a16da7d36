import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';

/** Runs a server until the test ends, and waits until it answers at the port that `start` was told. */
export async function serveUntilTestEnds(
  t: ExecutionContext,
  start: (port: number, folder: string) => Promise<ChildProcess>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-registry-'));
  const port = await freePort();
  const server = await start(port, folder);
  t.teardown(async () => {
    if (server.exitCode === null && server.kill()) await once(server, 'exit');
    await rm(folder, { recursive: true });
  });
  const host = `localhost:${port}`;
  for (let tries = 0; tries < 100; tries += 1) {
    if (await isOpen(port)) return host;
    await wait(100);
  }
  throw new Error(`${host} does not answer`);
}

/** A registry of Debian's package docker-registry, as `HOST:PORT`; `auth` and `tls` are parts of its configuration. */
export function startRegistry(
  t: ExecutionContext,
  { auth, tls }: { readonly auth?: object; readonly tls?: object } = {},
): Promise<string> {
  return serveUntilTestEnds(t, async (port, folder) => {
    const configuration = {
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(folder, 'data') } },
      http: { addr: `:${port}`, ...(tls && { tls }) },
      ...(auth && { auth }),
    };
    // JSON is YAML.
    await writeFile(join(folder, 'registry.yml'), JSON.stringify(configuration));
    return spawn('docker-registry', ['serve', join(folder, 'registry.yml')], { stdio: 'ignore' });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function isOpen(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
