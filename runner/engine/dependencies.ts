import type { Clock } from '../model/clock.ts';
import type { Logger } from '../model/logger.ts';
import type { Executor } from '../executors/executor.ts';
import type { Logs } from '../results/log/logs.ts';
import type { IdleBudget } from '../scheduler/look-ahead.ts';
import type { Sources } from '../sources/source.ts';
import type { Intake } from '../store/intake.ts';
import type { Blobs, Owner, Store } from '../store/store.ts';

/** Everything the engine acts through; joined in `runner/main.ts`. */
export interface EngineDependencies {
  readonly store: Store & Pick<Intake, 'takeQueued'>;
  readonly blobs: Blobs;
  readonly logs: Logs;
  readonly executor: Executor;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly owner: Owner;
  /** Value of a secret by name. */
  readonly secret: (name: string) => string | undefined;
  /** Texts of the workflows that Sluice ships, by name. */
  readonly gates: ReadonlyMap<string, string>;
  /** Attempts under way at once, per run. */
  readonly capacity: number;
  readonly maxLogBytes: number;
  /** Of all files that an attempt hands over. */
  readonly maxUploadBytes: number;
  /** What may wait prepared for its go, per run. */
  readonly lookAhead: IdleBudget;
}
