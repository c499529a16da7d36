import type { IssuerConfig } from '../config/config.ts';
import type { Engine, RerunScope } from '../engine/engine.ts';
import type { Backends } from '../environments/backends.ts';
import type { Clock } from '../model/clock.ts';
import type { Logger } from '../model/logger.ts';
import type { TraceParent } from '../model/trace-parent.ts';
import type { Logs } from '../results/log/logs.ts';
import type { Delivery, Intake } from '../store/intake.ts';
import type { RegisteredRepository, RepositoryWish } from '../store/register-repository.ts';
import type { ServerRecords } from '../store/server-records.ts';
import type { Headers } from '../triggers/forge.ts';
import type { Reception } from '../triggers/receive-delivery.ts';
import type { RunWish } from '../triggers/request-run.ts';
import type { Blobs, Store } from '../store/store.ts';

/** How the API gets runs going. What it answers with is stored: the run goes on whatever happens to the asker. */
export interface RunRequests {
  /** The id of the new run, whose pipeline nobody has read yet. Undefined for a repository that is not known. */
  request(wish: RunWish): Promise<string | undefined>;
  /** The id of the run that repeats. ERR_USAGE when there is nothing to repeat. */
  rerun(runId: string, scope: RerunScope, traceParent?: TraceParent): Promise<string>;
}

/** Everything the API answers from; joined in `runner/main.ts`. It owns none of it: who made a part closes it. */
export interface ApiDependencies {
  readonly engine: Pick<Engine, 'state' | 'cancel' | 'approve' | 'review'>;
  readonly runs: RunRequests;
  readonly store: Store & ServerRecords;
  readonly intake: Pick<
    Intake,
    'repository' | 'repositories' | 'repositoryNamed' | 'removeRepository' | 'delivery' | 'deliveries'
  >;
  /** ERR_CONFLICT when the name is taken. */
  readonly register: (wish: RepositoryWish) => Promise<RegisteredRepository>;
  /** Stores a new run of what the delivery announced. ERR_CONFLICT when it led to no run. */
  readonly replay: (delivery: Delivery, traceParent?: TraceParent) => Promise<Delivery>;
  /** Takes what a forge sent to the hook of a repository. */
  readonly receive: (repositoryId: string, headers: Headers, body: Buffer) => Promise<Reception>;
  /** Figures of this process, in the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  /** Undefined where none are deployed. */
  readonly backends?: Backends | undefined;
  readonly logs: Pick<Logs, 'read' | 'lines'>;
  readonly blobs: Pick<Blobs, 'open'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  readonly issuer?: IssuerConfig;
  /** Requests without a good token that one address may make in a minute. */
  readonly strangersPerMinute?: number;
}
