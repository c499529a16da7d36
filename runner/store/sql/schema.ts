import type { Outcome } from '../../model/outcome.ts';
import type { NoticeTarget } from '../../model/run-request.ts';
import type { Delivery, Repository } from '../intake.ts';
import type { Notice } from '../outbox.ts';
import type { RunRow } from '../store.ts';

/** The tables. Times are integers in ms since the epoch, structured values are JSON text. */
export interface Schema {
  readonly schema_version: SchemaVersionTable;
  readonly runs: RunsTable;
  readonly runners: RunnersTable;
  readonly events: EventsTable;
  readonly held_groups: HeldGroupsTable;
  readonly test_saves: TestSavesTable;
  readonly test_chunks: TestChunksTable;
  readonly attempt_artifacts: AttemptArtifactsTable;
  readonly caches: CachesTable;
  readonly repositories: RepositoriesTable;
  readonly deliveries: DeliveriesTable;
  readonly outbox: OutboxTable;
}

interface SchemaVersionTable {
  readonly version: number;
}

/** The projection of a run's events, and who may append to them. */
export interface RunsTable {
  readonly run_id: string;
  readonly repository: string;
  readonly pipeline: string;
  readonly branch: string;
  readonly commit_id: string;
  readonly event: string;
  readonly phase: RunRow['phase'];
  readonly outcome: Outcome | null;
  readonly reason: string | null;
  readonly created_at: number;
  readonly finished_at: number | null;
  readonly version: number;
  readonly group_name: string;
  readonly fence: number;
  readonly owner_id: string;
  readonly owner_host: string;
  readonly owner_pid: number;
  readonly owner_started_at: string;
}

/** Who drives runs and until when that is believed, on databases where processes cannot be looked at. */
interface RunnersTable {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly renewed_at: number;
  readonly expires_at: number;
}

interface EventsTable {
  readonly run_id: string;
  readonly version: number;
  readonly body: string;
}

interface HeldGroupsTable {
  readonly name: string;
  readonly holder: string;
  /** The holder's run, whose end frees the group. */
  readonly run_id: string;
  readonly acquired_at: number;
}

/** One call of `saveTests`; readable once `chunks`, the number of its rows in `test_chunks`, is known. */
interface TestSavesTable {
  readonly save_id: string;
  readonly run_id: string;
  readonly step: string;
  readonly attempt: number;
  readonly chunks: number | null;
}

interface TestChunksTable {
  readonly save_id: string;
  readonly position: number;
  readonly cases: string;
}

interface AttemptArtifactsTable {
  readonly run_id: string;
  readonly step: string;
  readonly attempt: number;
  readonly entries: string;
}

interface CachesTable {
  readonly scope: string;
  readonly key: string;
  readonly blob: string;
  readonly created_at: number;
}

export interface RepositoriesTable {
  readonly id: string;
  readonly name: string;
  readonly forge: Repository['forge'];
  readonly forge_id: string;
  readonly clone_url: string;
  readonly file: string;
  readonly forks: Repository['forks'];
  readonly secrets: string;
  readonly created_at: number;
}

export interface DeliveriesTable {
  readonly id: string;
  readonly repository_id: string;
  readonly forge_id: string;
  /** Set for the delivery whose change was run. */
  readonly change: string | null;
  readonly event: string;
  readonly received_at: number;
  readonly outcome: Delivery['outcome'];
  readonly reason: string;
  readonly run_id: string | null;
  readonly payload: string;
}

/** One row per target and run: a newer state takes the place of an older one that was not told yet. */
export interface OutboxTable {
  readonly kind: NoticeTarget['kind'];
  readonly target: string;
  readonly run_id: string;
  readonly version: number;
  readonly state: Notice['state'];
  readonly at: number;
  readonly attempts: number;
  readonly not_before: number;
}
