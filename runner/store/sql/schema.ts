import type { Outcome } from '../../model/outcome.ts';
import type { Delivery, Repository } from '../intake.ts';
import type { RunRow } from '../store.ts';

/** The tables. Times are integers in ms since the epoch, structured values are JSON text. */
export interface Schema {
  readonly schema_version: SchemaVersionTable;
  readonly runs: RunsTable;
  readonly events: EventsTable;
  readonly held_groups: HeldGroupsTable;
  readonly test_saves: TestSavesTable;
  readonly test_chunks: TestChunksTable;
  readonly attempt_artifacts: AttemptArtifactsTable;
  readonly caches: CachesTable;
  readonly repositories: RepositoriesTable;
  readonly deliveries: DeliveriesTable;
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
