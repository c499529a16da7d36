import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageOf, ServerMessage } from '../../api/websocket/messages.ts';
import { SluiceError } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';
import type { StoredEvent } from '../../model/run-event.ts';
import type { RunReport } from '../../results/report/run-report.ts';
import { whyUnreachable } from './why-unreachable.ts';

export interface Server {
  readonly url: string;
  readonly token: string;
}

/** Hears of a run at a server, in order, everything once, however often the connection is lost. */
export interface RemoteListener {
  accepted(runId: string): void;
  event(runId: string, event: StoredEvent): void;
  log(step: string, attempt: number, text: string): void;
  notice(text: string): void;
}

interface Wish extends MessageOf<'run'> {
  /** Aborted when the run is to be cancelled. */
  readonly cancel: AbortSignal;
  /** Aborted when nobody wants to hear of it any more. */
  readonly leave: AbortSignal;
}

/** How long a server may be away in the middle of a run, ms. */
const patienceMs = 600_000;
/** A server answers at once; one that has said nothing for the second of these times is gone, whatever TCP thinks, ms. */
const [askMs, silenceMs] = [10_000, 30_000];
const longestPauseMs = 10_000;

/** A server's messages; what a run is told by is checked there (`schemas/websocket.schema.json`). */
type Heard = ServerMessage & { readonly event?: StoredEvent };

/**
 * Asks a server for a run and tells of it until it has ended; undefined when nobody wants to hear of it any more. A lost
 * connection is made anew, with the same wish: its id makes it the same run. ERR_SERVICE when the server is not there, or
 * stays away; what the server refuses is an error with its words.
 */
export async function followRemote(
  server: Server,
  { cancel, leave, ...wish }: Wish,
  listener: RemoteListener,
): Promise<RunReport | undefined> {
  const progress = new Progress(wish, listener);
  const isLeft = (): boolean => leave.aborted;
  let heardAt = performance.now();
  for (let failures = 0; !isLeft(); failures++) {
    const end = await connect(server, progress, cancel, leave);
    if (end.report || isLeft()) return end.report;
    if (end.followed) [failures, heardAt] = [0, performance.now()];
    if (progress.runId === undefined && failures > 0) throw away(server, end.why);
    if (performance.now() - heardAt > patienceMs) throw away(server, end.why, progress.runId);
    const what = progress.runId === undefined ? 'does not answer' : 'was lost';
    if (failures === 0) listener.notice(`${server.url} ${what}: ${end.why}. Trying again.`);
    await sleep(Math.min(500 * 2 ** failures, longestPauseMs), undefined, { signal: leave }).catch(() => undefined);
  }
  return undefined;
}

/** What was heard so far, and how to go on behind it. */
class Progress {
  readonly wish: MessageOf<'run'>;
  runId: string | undefined;
  readonly #listener: RemoteListener;
  readonly #logs = new Map<string, { readonly step: string; readonly attempt: number; readonly offset: number }>();
  #position: number | undefined;

  constructor(wish: MessageOf<'run'>, listener: RemoteListener) {
    this.wish = wish;
    this.#listener = listener;
  }

  accepted(runId: string): MessageOf<'subscribe'> {
    if (this.runId === undefined) this.#listener.accepted(runId);
    this.runId = runId;
    const after = this.#position;
    const goOn = after === undefined ? {} : { after, have: [...this.#logs.values()] };
    return { type: 'subscribe', id: 'run', runId, logs: true, ...goOn };
  }

  event(position: number, event: StoredEvent): MessageOf<'ack'> {
    this.#position = position;
    if (event.type === 'attempt-started') this.#reached(event.step, event.attempt, 0);
    if (event.type === 'attempt-finished') this.#logs.delete(`${event.step} ${event.attempt}`);
    this.#listener.event(this.runId ?? '', event);
    return { type: 'ack', subscription: 'run', position };
  }

  log({ step, attempt, next, text }: ServerMessage & { readonly type: 'log' }): void {
    this.#reached(step, attempt, next);
    this.#listener.log(step, attempt, text);
  }

  notice(text: string): void {
    this.#listener.notice(text);
  }

  #reached(step: string, attempt: number, offset: number): void {
    this.#logs.set(`${step} ${attempt}`, { step, attempt, offset });
  }
}

interface End {
  readonly report?: RunReport;
  /** Whether the server told of the run: one that only refuses, or talks of something else, is not there. */
  readonly followed: boolean;
  readonly why: string;
}

/** One connection to its end. Rejects with what the server refuses for good. */
async function connect(
  { url, token }: Server,
  progress: Progress,
  cancel: AbortSignal,
  leave: AbortSignal,
): Promise<End> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws').replace(/\/+$/, '')}/v1/websocket`, 'sluice.v1');
  const { promise, resolve, reject } = Promise.withResolvers<Omit<End, 'why'> & { readonly why: string | undefined }>();
  let heardAt = performance.now();
  let followed = false;
  const lost = (why: string | undefined): void => resolve({ followed, why });
  const say = (message: object): void => {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const sayCancel = (): void => {
    if (progress.runId !== undefined) say({ type: 'cancel', id: 'cancel', runId: progress.runId });
  };
  const answer = (message: Heard): void => {
    if (message.type === 'welcome') say(progress.wish);
    if (message.type === 'accepted' && message.re === progress.wish.id && message.runId !== undefined) {
      followed = true;
      say(progress.accepted(message.runId));
      if (cancel.aborted) sayCancel();
    }
    if (message.type === 'event') say(progress.event(message.position, message.event));
    if (message.type === 'log') progress.log(message);
    if (message.type === 'result') resolve({ report: message.report as RunReport, followed, why: '' });
    if (message.type !== 'refused') return;
    if (message.re === 'cancel') progress.notice(message.problem.detail);
    else if (message.problem.status >= 500) lost(message.problem.detail);
    else reject(refusal(url, message.problem, progress));
  };
  socket.addEventListener('open', () => say({ type: 'hello', token }));
  socket.addEventListener('message', ({ data }) => {
    heardAt = performance.now();
    const message = readMessage(String(data));
    if (message) answer(message);
    else lost('what it says is no message of Sluice');
  });
  socket.addEventListener('error', () => lost(undefined));
  socket.addEventListener('close', ({ reason }) => lost(reason === '' ? 'it was broken off' : reason));
  // Answered with `accepted`, and changes nothing.
  const asking = setInterval(() => {
    if (performance.now() - heardAt > silenceMs) lost(`it has said nothing for ${silenceMs / 1_000} seconds`);
    else say({ type: 'unsubscribe', id: 'alive' });
  }, askMs);
  const left = (): void => lost('it is not wanted any more');
  cancel.addEventListener('abort', sayCancel);
  leave.addEventListener('abort', left);
  try {
    const end = await promise;
    return { ...end, why: end.why ?? (await whyUnreachable(url, leave)) };
  } finally {
    clearInterval(asking);
    cancel.removeEventListener('abort', sayCancel);
    leave.removeEventListener('abort', left);
    socket.close();
  }
}

function readMessage(text: string): Heard | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null && 'type' in message ? (message as Heard) : undefined;
  } catch {
    return undefined;
  }
}

const codes: Readonly<Record<number, ErrorCode>> = { 400: 'ERR_USAGE', 404: 'ERR_NOT_FOUND', 422: 'ERR_USAGE' };

type Refusal = (ServerMessage & { readonly type: 'refused' })['problem'];

/** In words for who typed the command: those of the server are for who wrote the message. */
function refusal(url: string, { status, detail, next }: Refusal, { runId, wish }: Progress): SluiceError {
  const code = codes[status] ?? (status === 401 || status === 403 ? 'ERR_FORBIDDEN' : 'ERR_SERVICE');
  if (status === 404) {
    const message = `${url} knows no repository ${JSON.stringify(wish.repository)}, or this token may not see it.`;
    const hint = 'Name it with --repository; `sluice repository list` at the server lists all.';
    return new SluiceError(code, message, { hint });
  }
  const step = status === 401 ? '`sluice token create --role developer` at the server makes one.' : next;
  const hint = [
    ...(runId === undefined ? [] : [`Run ${runId} goes on without you.`]),
    ...(step === undefined ? [] : [step]),
  ];
  return new SluiceError(code, `${url}: ${detail}`, hint.length === 0 ? {} : { hint: hint.join(' ') });
}

function away({ url }: Server, why: string, runId?: string): SluiceError {
  const hint =
    runId !== undefined
      ? `Run ${runId} goes on without you; ask the server for it when it is there again.`
      : /certificate/i.test(why)
        ? 'Name a file with the certificate of who signed it in NODE_EXTRA_CA_CERTS.'
        : 'Check --server, and that `sluice serve` answers there.';
  return new SluiceError('ERR_SERVICE', `${url} cannot be used: ${why}`, { hint });
}
