import type { Outcome } from '../../model/outcome.ts';
import type { TestCase } from '../../model/result.ts';
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
  readonly counters: CountersTable;
  readonly tokens: TokensTable;
  readonly audit: AuditTable;
  readonly answers: AnswersTable;
  readonly test_cases: TestCasesTable;
  readonly test_results: TestResultsTable;
  readonly outbox: OutboxTable;
  readonly looks: LooksTable;
  readonly seen_refs: SeenRefsTable;
  readonly schedules: SchedulesTable;
  readonly installation: InstallationTable;
}

interface InstallationTable {
  readonly one: 1;
  readonly id: string;
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
  /** Of the runs of a repository that wait the highest is begun first. */
  readonly priority: number;
  readonly created_at: number;
  readonly finished_at: number | null;
  readonly version: number;
  readonly group_name: string;
  /** 1: nobody takes it from the queue. */
  readonly held: number;
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
  /** Place among the events of all runs; null for what was stored before there was one. */
  readonly position: number | null;
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
  /** See `NewDelivery.head`; of one that a look found only until its forge announces the same. */
  readonly head: string | null;
}

/** The last number that was given out of each row of numbers. */
interface CountersTable {
  readonly name: string;
  readonly value: number;
}

export interface TokensTable {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly repositories: string | null;
  readonly sha256: string;
  readonly created_at: number;
  readonly created_by: string;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
}

interface AuditTable {
  readonly position: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly request_id: string;
  readonly hash: string;
}

interface AnswersTable {
  readonly subject: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly status: number | null;
  readonly body: string | null;
  readonly created_at: number;
}

export interface TestCasesTable {
  readonly case_id: string;
  readonly repository: string;
  readonly step: string;
  readonly suites: string;
  readonly class_name: string;
  readonly name: string;
  readonly file: string;
}

/** Counts once the save is published, see `TestSavesTable`. `notable` is 1 for red and for flaky results. */
interface TestResultsTable {
  readonly save_id: string;
  readonly position: number;
  readonly case_id: string;
  readonly repository: string;
  readonly commit_id: string;
  readonly at: number;
  readonly outcome: TestCase['outcome'];
  readonly flaky: number;
  readonly notable: number;
  readonly duration_ms: number;
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

/** When a repository was looked at; `finished_at` is the beginning of the last look that was finished. */
interface LooksTable {
  readonly repository_id: string;
  readonly taken_at: number;
  readonly finished_at: number | null;
  readonly schedules_of: string;
}

interface SeenRefsTable {
  readonly repository_id: string;
  readonly ref: string;
  readonly commit_id: string;
}

interface SchedulesTable {
  readonly repository_id: string;
  readonly cron: string;
  readonly timezone: string;
  readonly next_at: number;
}
