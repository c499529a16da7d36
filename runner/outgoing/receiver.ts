import type { Notice } from '../store/outbox.ts';

/** What became of telling: `retry` may say how long to wait at least, in ms. */
export type Answer =
  | { readonly kind: 'done' }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number }
  /** The same again would be refused again. */
  | { readonly kind: 'give-up'; readonly reason: string };

/** Somebody outside who is told about runs. What goes wrong on the way is an answer; it rejects for defects and wrong configuration only. */
export interface Receiver {
  tell(notice: Notice, signal: AbortSignal): Promise<Answer>;
}
