import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { messageOf, SluiceError } from '../../model/errors.ts';
import type { Json } from '../../model/json.ts';
import type { BackendCalls, CallAnswer, CallFault, SupervisorCalls } from './supervisor-calls.ts';

/** Systems take 103 bytes at least for the path of a socket (sun_path). */
const longestPath = 103;

type Call = (...args: readonly Json[]) => Promise<unknown>;

const ofSupervisor = [
  'greet',
  'ensure',
  'list',
  'backends',
  'mark',
  'remove',
  'stop',
] as const satisfies readonly (keyof SupervisorCalls)[];
const ofBackend = [
  'read',
  'write',
  'list',
  'start',
  'health',
  'route',
  'routed',
  'keep',
  'task',
  'endTasks',
] as const satisfies readonly (keyof BackendCalls)[];

/** Where the supervisor of a folder is reached: a file that only its user can open. ERR_USAGE when its path is too long for one. */
export function socketPath(folder: string): string {
  const path = join(folder, 'socket');
  if (Buffer.byteLength(path) <= longestPath) return path;
  throw new SluiceError('ERR_USAGE', `${path} is too long for the path of a socket`, {
    hint: 'Set SLUICE_HOME to a folder with a shorter path.',
  });
}

/** Answers calls: `/METHOD` for the supervisor and `/BACKEND/METHOD` for one of its backends, the arguments as a list. */
export async function serveCalls(
  path: string,
  supervisor: SupervisorCalls,
  backendOf: (name: string) => BackendCalls,
): Promise<{ close(): Promise<void> }> {
  const find = (url: string): Call => {
    const [, first = '', second] = url.split('/');
    const call =
      second === undefined
        ? bound(supervisor, ofSupervisor, first)
        : bound(backendOf(decodeURIComponent(first)), ofBackend, second);
    if (call === undefined) throw new SluiceError('ERR_USAGE', `there is no call ${url}`);
    return call;
  };
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing, find));
  // A socket that a killed supervisor left: the lock says that there is no other.
  rmSync(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o600);
  return {
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 1_000).unref();
      await closed;
    },
  };
}

function bound<Target extends object>(
  target: Target,
  names: readonly (keyof Target & string)[],
  name: string,
): Call | undefined {
  const known = names.find((candidate) => candidate === name);
  if (known === undefined) return undefined;
  // The other end speaks the same protocol, which `greet` has told.
  return (...args) => (target[known] as Call).apply(target, [...args]);
}

async function answer(incoming: IncomingMessage, outgoing: ServerResponse, find: (url: string) => Call): Promise<void> {
  const told = await carryOut(incoming, find).catch((error: unknown) => ({ error: faultOf(error) }));
  outgoing.setHeader('content-type', 'application/json');
  outgoing.end(JSON.stringify(told satisfies CallAnswer));
}

async function carryOut(incoming: IncomingMessage, find: (url: string) => Call): Promise<CallAnswer> {
  const call = find(incoming.url ?? '');
  const args = JSON.parse(await text(incoming)) as readonly Json[];
  return { value: (await call(...args)) as Json };
}

function faultOf(error: unknown): CallFault {
  if (!(error instanceof SluiceError)) return { code: 'ERR_INTERNAL', message: messageOf(error) };
  const { code, message, hint } = error;
  return { code, message, ...(hint !== undefined && { hint }) };
}
