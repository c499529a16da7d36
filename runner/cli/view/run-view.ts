import type { RunObserver } from '../../engine/engine.ts';

/** Shows a run while it is under way. `close` leaves the place below free for the summary; safe to call twice. */
export interface RunView extends RunObserver {
  /** A sentence for the person at the keyboard. */
  notice(text: string): void;
  close(): void;
}
