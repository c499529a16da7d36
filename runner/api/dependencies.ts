import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../model/clock.ts';
import type { Logger } from '../model/logger.ts';
import type { Logs } from '../results/log/logs.ts';
import type { Blobs, Store } from '../store/store.ts';

/** Everything the API answers from; joined in `runner/main.ts`. It owns none of it: who made a part closes it. */
export interface ApiDependencies {
  readonly engine: Pick<Engine, 'state' | 'cancel' | 'approve'>;
  readonly store: Store;
  readonly logs: Logs;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
}
