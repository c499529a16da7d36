import { buffer } from 'node:stream/consumers';
import { SluiceError } from '../../model/errors.ts';
import type { AttemptKey, LogSeal } from '../../model/result.ts';
import { wholeReport } from '../../results/report/whole-run.ts';
import type { FeedEntry } from '../../store/server-records.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { feedReader } from '../feed-reader.ts';
import type { MessageOf, ServerMessage } from './messages.ts';

/** Events that may be under way without an `ack`. */
const window = 500;
const batch = 100;
/** Bytes of a log in one message. */
const logBytes = 65_536;

interface FollowedLog {
  readonly key: AttemptKey;
  seal?: LogSeal;
  offset: number;
}

/**
 * What one subscription still has to say, asked for piece by piece: it holds nothing that the store does not have, so that a
 * client that is slow or away costs nothing and misses nothing.
 */
export class Subscription {
  readonly #api: Pick<ApiDependencies, 'store' | 'logs' | 'engine'>;
  readonly #wish: MessageOf<'subscribe'>;
  readonly #isVisible: (repository: string) => boolean;
  readonly #logs = new Map<string, FollowedLog>();
  /** Positions of events that were sent and are not acknowledged. */
  #open: readonly number[] = [];
  readonly #news: () => Promise<readonly FeedEntry[]>;

  constructor(
    api: Pick<ApiDependencies, 'store' | 'logs' | 'engine'>,
    wish: MessageOf<'subscribe'>,
    from: number,
    isVisible: (repository: string) => boolean,
  ) {
    this.#api = api;
    this.#wish = wish;
    this.#isVisible = isVisible;
    this.#news = feedReader(api.store, from, batch);
    const { runId, logs, have = [] } = wish;
    if (runId === undefined || logs !== true) return;
    for (const { offset, ...log } of have) {
      const key = { runId, ...log };
      this.#logs.set(nameOf(key), { key, offset });
    }
  }

  acknowledge(position: number): void {
    this.#open = this.#open.filter((sent) => sent > position);
  }

  /** The next messages, oldest first; none when nothing has happened or too little is acknowledged. */
  async *messages(): AsyncGenerator<ServerMessage> {
    if (this.#open.length < window) {
      for (const entry of await this.#news()) if (this.#wants(entry)) yield* this.#tell(entry);
    }
    for (const log of this.#logs.values()) yield* this.#newOutput(log);
  }

  #wants({ runId, repository }: FeedEntry): boolean {
    const { runId: only, repository: of } = this.#wish;
    return (
      (only === undefined || only === runId) && (of === undefined || of === repository) && this.#isVisible(repository)
    );
  }

  async *#tell({ position, runId, repository, event }: FeedEntry): AsyncGenerator<ServerMessage> {
    const subscription = this.#wish.id;
    // What a step printed comes before the news of its end.
    if (event.type === 'attempt-finished')
      yield* this.#endLog({ runId, step: event.step, attempt: event.attempt }, event.result.log);
    this.#open = [...this.#open, position];
    yield { type: 'event', subscription, position, runId, repository, event };
    if (event.type === 'attempt-started' && this.#wish.logs === true) {
      const key = { runId, step: event.step, attempt: event.attempt };
      this.#logs.set(nameOf(key), { key, offset: 0 });
    }
    if (event.type !== 'run-finished') return;
    const report = await wholeReport(runId, this.#api);
    yield { type: 'result', subscription, position, runId, report };
  }

  async *#endLog(key: AttemptKey, seal: LogSeal | undefined): AsyncGenerator<ServerMessage> {
    const log = this.#logs.get(nameOf(key));
    if (!log) return;
    if (seal) log.seal = seal;
    yield* this.#newOutput(log);
    this.#logs.delete(nameOf(key));
  }

  async *#newOutput(log: FollowedLog): AsyncGenerator<ServerMessage> {
    for (;;) {
      const bytes = await this.#read(log);
      if (bytes.length === 0) return;
      const { key, offset } = log;
      log.offset += bytes.length;
      const [subscription, next, text] = [this.#wish.id, log.offset, bytes.toString('utf8')];
      yield { type: 'log', subscription, ...key, offset, next, text };
    }
  }

  async #read({ key, offset, seal }: FollowedLog): Promise<Buffer> {
    try {
      return wholeCharacters(
        await buffer(await this.#api.logs.read(key, { start: offset, end: offset + logBytes }, seal)),
      );
    } catch (error) {
      // No byte yet, or the log is on the machine of another runner.
      if (error instanceof SluiceError && error.code === 'ERR_NOT_FOUND') return Buffer.alloc(0);
      throw error;
    }
  }
}

function nameOf({ runId, step, attempt }: AttemptKey): string {
  return `${runId} ${step} ${attempt}`;
}

/** Without the first bytes of a character whose last ones are still to come; output that is no UTF-8 goes as it is. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back && bytes.length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
