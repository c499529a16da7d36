import { SluiceError } from '../model/errors.ts';

/** A message of the WebSocket protocol, see schemas/websocket.schema.json. */
export interface Announcement {
  readonly type: 'announce';
  readonly id: string;
  readonly repository: string;
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly actor: string;
}

export interface Announced {
  readonly ref: string;
  readonly runId?: string;
  readonly reason?: string;
}

interface Reply {
  readonly type: string;
  readonly re?: string;
  readonly runId?: string;
  readonly reason?: string;
  readonly problem?: { readonly status: number; readonly detail: string; readonly next?: string };
}

/** Tells a server of pushes over one connection. Rejects when it does not take all of them before the signal. */
export async function announceAll(
  server: string,
  token: string,
  pushes: readonly Announcement[],
  signal: AbortSignal,
): Promise<readonly Announced[]> {
  const socket = new WebSocket(`${server.replace(/^http/, 'ws').replace(/\/+$/, '')}/v1/websocket`, 'sluice.v1');
  const answers = new Map<string, Reply>();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const fail = (why: string): void => reject(new SluiceError('ERR_SERVICE', `${server}: ${why}`));
  signal.addEventListener('abort', () => fail('no answer in time'), { once: true });
  socket.addEventListener('error', () => fail('it cannot be reached'));
  socket.addEventListener('close', ({ reason }) => fail(reason === '' ? 'the connection was closed' : reason));
  socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'hello', token })));
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply;
    if (reply.type === 'welcome') for (const push of pushes) socket.send(JSON.stringify(push));
    // What is wrong with an announcement stays wrong; a server that is out of order may be well again later.
    if (reply.problem && (reply.re === undefined || reply.problem.status >= 500)) fail(reply.problem.detail);
    if (reply.re !== undefined) answers.set(reply.re, reply);
    if (answers.size === pushes.length && reply.re !== undefined) resolve(undefined);
  });
  try {
    if (pushes.length > 0) await promise;
    return pushes.map(({ id, ref }) => {
      const { runId, reason, problem } = answers.get(id) ?? {};
      const why = problem ? `${problem.detail} ${problem.next ?? ''}`.trim() : reason;
      return { ref, ...(runId !== undefined && { runId }), ...(why !== undefined && { reason: why }) };
    });
  } finally {
    socket.close();
  }
}
