import { setTimeout as sleep } from 'node:timers/promises';
import { authorize } from '../access.ts';
import type { Subject, Verb } from '../access.ts';
import type { Authenticate } from '../authenticate.ts';
import { showBackend } from '../backend-deeds.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { backendsOf, permit } from '../guard.ts';
import { permitPriority } from '../priority.ts';
import { ApiError, toProblem } from '../problem.ts';
import { BackendWatch } from './backend-watch.ts';
import { changeBackend, permitBackend } from './change-backend.ts';
import type { ClientMessage, MessageOf, ServerMessage } from './messages.ts';
import { idOf, readMessage } from './read-message.ts';
import { Subscription } from './subscription.ts';

/** What a session needs of its connection. */
export interface Connection {
  send(text: string): void;
  /** Bytes that were sent and have not left yet. */
  readonly waitingBytes: number;
  /** Codes are those of RFC 6455, or ours from 4400 on. */
  close(code: number, reason: string): void;
}

/** How a server takes what clients and Git servers bring; joined in `serve.ts`. */
export interface Submissions {
  /** Undefined for a repository that is not known. Doing it twice under one id is doing it once. */
  run(message: MessageOf<'run'>, actor: string): Promise<Accepted | undefined>;
  announce(message: MessageOf<'announce'>, actor: string): Promise<Accepted | undefined>;
}

export interface Accepted {
  readonly outcome: 'run' | 'duplicate' | 'ignored';
  readonly reason: string;
  readonly runId?: string;
}

type Told = 'store' | 'logs' | 'engine' | 'backends' | 'intake' | 'clock' | 'logger' | 'version';

export type SessionDependencies = Pick<ApiDependencies, Told> & {
  readonly submissions: Submissions;
  readonly authenticate: Authenticate;
};

const mostSubscriptions = 20;
const mostMessagesWaiting = 100;
/** More than that lies in the socket of a reader that is slow: it is not asked for until that has left. */
const mostWaitingBytes = 1_048_576;
const pollMs = 100;
/** How often it is looked whether the token is still good (trust.md, T-14). */
const recheckMs = 2_000;

/** One client, from its first message to its last. Holds nothing that a new connection could not ask for again. */
export class Session {
  readonly #dependencies: SessionDependencies;
  readonly #connection: Connection;
  readonly #subscriptions = new Map<string, Subscription | BackendWatch>();
  #identity: { readonly subject: Subject; readonly token: string } | undefined;
  #turn: Promise<void> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(dependencies: SessionDependencies, connection: Connection) {
    this.#dependencies = dependencies;
    this.#connection = connection;
  }

  get isKnown(): boolean {
    return this.#identity !== undefined;
  }

  /** Messages are dealt with one after the other, in the order in which they came. */
  receive(frame: string): void {
    if (++this.#waiting > mostMessagesWaiting) {
      this.end(4429, 'too many messages at once');
      return;
    }
    this.#turn = this.#turn
      .then(() => (this.#closed ? undefined : this.#answer(frame)))
      .finally(() => (this.#waiting -= 1));
  }

  end(code: number, reason: string): void {
    this.#closed = true;
    this.#connection.close(code, reason);
  }

  /** Sends what subscriptions have to say until the signal comes. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let checked = performance.now();
    while (!signal.aborted && !this.#closed) {
      try {
        if (performance.now() - checked > recheckMs) {
          checked = performance.now();
          await this.#recheck();
        }
        await this.#pump();
      } catch (error) {
        this.#dependencies.logger.error('a subscription failed', { error });
        this.end(1011, 'the server failed; connect again');
      }
      await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    }
    await this.#turn;
  }

  async #pump(): Promise<void> {
    for (const [id, subscription] of this.#subscriptions) {
      if (this.#connection.waitingBytes > mostWaitingBytes) return;
      for await (const message of subscription.messages()) this.#send(message);
      if (subscription instanceof BackendWatch && subscription.isOver) this.#subscriptions.delete(id);
    }
  }

  async #recheck(): Promise<void> {
    if (!this.#identity) return;
    const subject = await this.#dependencies.authenticate(this.#identity.token);
    if (subject) this.#identity = { ...this.#identity, subject };
    else this.end(4401, 'the token is not good any more');
  }

  async #answer(frame: string): Promise<void> {
    try {
      const message = readMessage(frame);
      const identity = this.#identity;
      if (!identity) {
        await this.#greet(message);
        return;
      }
      const accepted = await this.#carryOut(message, identity.subject);
      if (accepted) this.#send({ type: 'accepted', ...accepted });
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500) this.#dependencies.logger.error('a message could not be dealt with', { error });
      const re = idOf(frame);
      this.#send({ type: 'refused', ...(re !== undefined && { re }), problem });
      // Who has not said who he is has one try.
      if (!this.isKnown) this.end(4401, 'the first message must be `hello` with a good token');
    }
  }

  async #greet(message: ClientMessage): Promise<void> {
    const { authenticate, store, version } = this.#dependencies;
    const subject = message.type === 'hello' ? await authenticate(message.token) : undefined;
    if (message.type !== 'hello' || !subject) {
      throw new ApiError({
        status: 401,
        code: 'unauthenticated',
        detail:
          message.type === 'hello' ? 'The token is not good: unknown, expired or revoked.' : 'Nobody has said hello.',
        next: 'Send {"type": "hello", "token": …} first; `sluice token create` makes a token.',
      });
    }
    this.#identity = { subject, token: message.token };
    const { name, role } = subject;
    this.#send({ type: 'welcome', subject: name, role, version, position: await store.feedEnd() });
  }

  async #carryOut(
    message: ClientMessage,
    subject: Subject,
  ): Promise<Omit<ServerMessage & { type: 'accepted' }, 'type'> | undefined> {
    const { engine, submissions, store } = this.#dependencies;
    switch (message.type) {
      case 'hello':
        throw new ApiError({
          status: 409,
          code: 'conflict',
          detail: 'Hello was said already.',
          next: 'Connect anew for another token.',
        });
      case 'run':
        permit(subject, 'create-run', message.repository);
        permitPriority(subject, message, 'message');
        return acceptedAs(message.id, await submissions.run(message, subject.name));
      case 'announce':
        permit(subject, 'create-run', message.repository);
        return acceptedAs(message.id, await submissions.announce(message, subject.name));
      case 'subscribe':
        await this.#subscribe(message, subject);
        return { re: message.id };
      case 'unsubscribe':
        this.#subscriptions.delete(message.id);
        return { re: message.id };
      case 'ack': {
        const subscription = this.#subscriptions.get(message.subscription);
        if (subscription instanceof Subscription) subscription.acknowledge(message.position);
        return undefined;
      }
      case 'cancel':
        permit(subject, 'cancel-run', (await store.run(message.runId))?.repository);
        await engine.cancel(message.runId, subject.name);
        return { re: message.id, runId: message.runId };
      case 'approve': {
        permit(subject, 'approve-step', (await store.run(message.runId))?.repository);
        const { approved, comment = '', runId, step } = message;
        await engine.approve(runId, step, { approved, by: subject.name, comment });
        return { re: message.id, runId };
      }
      case 'create-backend':
      case 'delete-backend':
        return { re: message.id, answer: await changeBackend(this.#dependencies, message, subject) };
      case 'get-backend':
        return { re: message.id, answer: await this.#getBackend(message, subject) };
    }
  }

  async #getBackend({ id, name, watch }: MessageOf<'get-backend'>, subject: Subject): Promise<object> {
    await permitBackend(this.#dependencies, subject, 'read-backends', name);
    const status = await showBackend(this.#dependencies, name);
    if (watch !== true) return status;
    this.#refuseTooMany(id);
    const look = async (): Promise<object | undefined> => {
      const found = await backendsOf(this.#dependencies).find(name);
      if (found === undefined || !this.#maySee(subject, 'read-backends', found.repository)) return undefined;
      return showBackend(this.#dependencies, name);
    };
    const watched = { subscription: id, name, status };
    this.#subscriptions.set(id, new BackendWatch(watched, look, this.#dependencies.logger));
    return status;
  }

  async #subscribe(message: MessageOf<'subscribe'>, subject: Subject): Promise<void> {
    const { store } = this.#dependencies;
    const { id, repository, runId, after } = message;
    if (repository !== undefined) permit(subject, 'read-runs', repository);
    if (runId !== undefined) permit(subject, 'read-runs', (await store.run(runId))?.repository);
    this.#refuseTooMany(id);
    // A run is told from its beginning; everything else from now on.
    const from = after ?? (runId === undefined ? await store.feedEnd() : 0);
    const isVisible = (name: string): boolean => this.#maySee(subject, 'read-runs', name);
    this.#subscriptions.set(id, new Subscription(this.#dependencies, message, from, isVisible));
  }

  #refuseTooMany(id: string): void {
    if (this.#subscriptions.has(id) || this.#subscriptions.size < mostSubscriptions) return;
    throw new ApiError({
      status: 429,
      code: 'too_many_requests',
      detail: `A connection has ${mostSubscriptions} subscriptions at most.`,
    });
  }

  /** By what the token is good for now. */
  #maySee(subject: Subject, verb: Verb, repository: string): boolean {
    const now = this.#identity?.subject ?? subject;
    return authorize(now, verb, { kind: 'repository', repository }) === 'allowed';
  }

  #send(message: ServerMessage): void {
    if (!this.#closed) this.#connection.send(JSON.stringify(message));
  }
}

function acceptedAs(re: string, accepted: Accepted | undefined) {
  if (!accepted)
    throw new ApiError({
      status: 404,
      code: 'not_found',
      detail: 'There is no such thing, or you may not see it.',
      next: 'Check the name of the repository and the scope of the token.',
    });
  const { outcome, reason, runId } = accepted;
  return { re, outcome, ...(reason !== '' && { reason }), ...(runId !== undefined && { runId }) };
}
