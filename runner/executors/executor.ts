import type { OwnedBackend } from '../model/backend.ts';
import type { Json } from '../model/json.ts';
import type { Reason, Verdict } from '../model/outcome.ts';
import type { Capability, RunStep, Template } from '../model/plan.ts';
import type { AttemptWaiting } from '../model/run-event.ts';
import type { AttemptKey } from '../model/result.ts';
import type { BlobAccess } from '../workspace/blob-access.ts';
import type { CommandResults } from '../workspace/collect-results.ts';
import type { WorkspaceContent } from '../workspace/prepare-workspace.ts';

/** Where a service of a step listens. The step finds it as NAME_HOST, NAME_PORT and NAME_URL, dashes as underscores. */
export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** One execution of a step, complete: every secret has its value, and templates lack nothing but addresses of services. */
export interface AttemptSpec extends WorkspaceContent {
  readonly runId: string;
  readonly step: RunStep;
  readonly attempt: number;
  /** The backend that the pipeline deploys: its steps run beside it. */
  readonly backend?: OwnedBackend;
  /** Variables of the command, secrets excluded. */
  readonly env: Readonly<Record<string, Template>>;
  /** Values of `step.secrets` by name. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** What is known of an attempt before the steps that it needs have ended. */
export type WarmSpec = Pick<AttemptSpec, 'runId' | 'step' | 'attempt' | 'backend'>;

export interface AttemptContext {
  readonly blobs: BlobAccess;
  /** Text of a value of `env`. Called once the services are ready; what it throws ends the attempt as `expression_error`. */
  readonly render: (template: Template, services: Readonly<Record<string, ServiceAddress>>) => string;
  /** Raw output in the order in which it came; `write` resolves when more may be written. Masking happens behind it. */
  readonly log: {
    write(chunk: Uint8Array): Promise<void>;
    /** How many bytes of the output an earlier runner has stored already; what `write` gets begins behind them. */
    readonly offset: number;
  };
  /** More output than that is not stored, so nobody has to keep it. */
  readonly maxLogBytes: number;
  /** Files of more bytes in all are not stored: the attempt fails with `upload_limit`. */
  readonly maxUploadBytes: number;
  /** Tells where the attempt runs as soon as it is known, before the user's command can have an effect. */
  readonly placed: (place: Readonly<Record<string, Json>>) => Promise<void>;
  /** Why the attempt does not run yet, whenever that changes; undefined once it does. */
  readonly waiting: (waiting: AttemptWaiting | undefined) => Promise<void>;
  /**
   * For an executor that knows of success before it is proven: what steps that need this one may begin with. Never called
   * for an attempt that ends otherwise by what is known.
   */
  readonly reported: (outcome: AttemptOutcome) => Promise<void>;
  /**
   * Secrets that only the place knows where the attempt runs, such as passwords of its databases: masked like its own in all that people read, from now on. Called
   * before the command begins.
   */
  readonly conceal: (secrets: readonly string[]) => void;
  /** A remark for people, shown with the attempt: a cache hit, the version of a service. */
  readonly note: (text: string) => void;
  /**
   * Aborted with a StopReason to stop the attempt: TERM, grace, KILL to its whole process tree. With `runner_lost` another
   * runner answers for it from now on: what outlives this one is left alone.
   */
  readonly signal: AbortSignal;
}

export type StopReason = Extract<
  Reason,
  'cancelled' | 'interrupted' | 'superseded' | 'run_timeout' | 'unproven' | 'timeout' | 'log_limit' | 'runner_lost'
>;

/** What the executor saw and collected. The verdict knows nothing of test reports yet; the engine adds them. */
export interface AttemptOutcome extends Verdict, CommandResults {
  readonly exitCode?: number;
  readonly signal?: string;
  /** False when output is known to be missing from the log. */
  readonly logComplete?: boolean;
  readonly startedAt?: number;
  readonly finishedAt?: number;
}

/**
 * Runs attempts somewhere. The life of an attempt: `execute` once, or after a restart of the runner `recover` once.
 *
 * - A step that fails is an outcome; the promises reject only for defects.
 * - `succeeded` needs positive proof: exit code 0 that the executor itself saw. Anything unknown is `errored`.
 * - The executor owns the step's own timeout (`timeoutMs`, from the start of the command).
 * - When the promise settles, no process of the command is left, and after `release` nothing at all.
 * - Every implementation passes `executor-contract.ts`.
 */
export interface Executor {
  readonly name: string;
  readonly offers: ReadonlySet<Capability>;
  /** Attempts outlive the runner: `recover` goes on with them. */
  readonly resumes: boolean;
  /** A sentence on why this executor can never run the step (an unknown service, …), known before the run starts. */
  unsupportedReason(step: RunStep): string | undefined;
  /**
   * A run is about to come: what takes time to open may be opened meanwhile. What fails is told by the first attempt.
   * Where attempts outlive their runner, what is left of those that are over is taken away, by `close` at the latest.
   */
  anticipate?(): void;
  /**
   * Prepares an attempt that may come soon, as far as that has no effect but to take room: its `execute` is quicker then.
   * `release` takes it back without a trace. Never rejects. Absent where nothing can be prepared.
   */
  warm?(ahead: WarmSpec): void;
  execute(spec: AttemptSpec, context: AttemptContext): Promise<AttemptOutcome>;
  /**
   * For an attempt that was under way when the runner ended: carries it on where that is possible, else removes what
   * is left of it and answers `runner_lost`. `place` is what `placed` was told, if it was.
   */
  recover(
    spec: AttemptSpec,
    place: Readonly<Record<string, Json>> | undefined,
    context: AttemptContext,
  ): Promise<AttemptOutcome>;
  /**
   * The results are on record: what was kept of the attempt until then (a Job, its pod) may go. Does not wait for that;
   * `close` does. Never rejects.
   */
  release(key: AttemptKey): void;
  /** Ends everything still under way and frees what the executor holds. Safe to call twice. */
  close(): Promise<void>;
}
