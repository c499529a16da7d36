import type { Backend } from './backend.ts';
import type { Json } from './json.ts';
import type { OperationName } from './operations.ts';
import type { Outcome } from './outcome.ts';
import type { Location } from './problem.ts';

/** `unit`, a matrix cell `unit:22`, a step of a used workflow `load/k6`. Unique in its plan. */
export type StepId = string;

/** A CEL expression that could not be decided before the run. */
export interface Expression {
  readonly cel: string;
}

/** Text whose expressions are evaluated when the step starts. A plain string has none left. */
export type Template = string | { readonly parts: readonly (string | Expression)[] };

/** The steps behind one name of `needs`: all cells of a matrix, else one. */
export interface Need {
  readonly name: string;
  readonly steps: readonly StepId[];
  /** Outcomes other than `succeeded` that satisfy this need. */
  readonly allow: readonly Extract<Outcome, 'skipped'>[];
}

interface PlanNode {
  readonly id: StepId;
  /** The name in the file that it comes from, without cell or workflow prefix. */
  readonly name: string;
  readonly needs: readonly Need[];
  readonly condition?: Expression;
  /** Values known at compile time that expressions may use: `matrix`, `inputs`, `branch`, … */
  readonly scope: Readonly<Record<string, Json>>;
  /** The group start whose outputs are this node's `inputs`. */
  readonly inputsFrom?: StepId;
  /** Runs when everything else has ended, whatever the outcome. */
  readonly finally: boolean;
  readonly location: Location;
}

export interface PlanService {
  readonly name: string;
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  /** Command that exits 0 once the service can be used; the executor knows one for the usual images. */
  readonly ready?: string;
  readonly port?: number;
}

export interface PlanCache {
  readonly key: string;
  readonly paths: readonly string[];
}

export interface PlanArtifact {
  readonly path: string;
  readonly required: boolean;
}

export interface PlanRetry {
  readonly max: number;
  readonly on: readonly ('failed' | 'errored')[];
  readonly backoffMs: number;
}

export interface PlanConcurrency {
  readonly group: string;
  readonly policy: 'cancel' | 'queue' | 'reject';
}

/** What a step may ask of an executor beyond running a command. */
export type Capability = 'services' | 'environments' | 'images' | 'containerfiles';

/** What the command of a step may use, in quantities of Kubernetes. */
export interface PlanResources {
  readonly cpu?: string;
  readonly memory?: string;
  readonly 'ephemeral-storage'?: string;
}

export interface RunStep extends PlanNode {
  readonly kind: 'run';
  readonly script: string;
  readonly shell: 'sh' | 'bash';
  readonly image: string;
  /** Relative to the workspace, '' for its root. */
  readonly workdir: string;
  readonly env: Readonly<Record<string, Template>>;
  readonly secrets: readonly string[];
  readonly services: readonly PlanService[];
  readonly junit: {
    readonly paths: readonly string[];
    readonly allowEmpty: boolean;
    /** How many tests must have run at least; one where it is not said. */
    readonly minTests?: number;
  };
  readonly artifacts: readonly PlanArtifact[];
  /** Files handed to the steps that need this one, and names of values it writes to $SLUICE_OUTPUT. */
  readonly outputs: { readonly paths: readonly string[]; readonly values: readonly string[] };
  readonly caches: readonly PlanCache[];
  readonly resources: PlanResources;
  readonly timeoutMs: number;
  readonly retry: PlanRetry;
  /** How often a fault of ours or the cluster's is retried by itself; 0 for steps that must not run twice. */
  readonly infraRetries: number;
  readonly concurrency?: PlanConcurrency;
  /** At most `limit` steps with the same `group` of this run at once (matrix `max-parallel`). */
  readonly throttle?: { readonly group: string; readonly limit: number };
  readonly requires: readonly Capability[];
  /** Its command is one of ours, and it gets the rights of that. */
  readonly operation?: OperationName;
  /** The environment of the backend whose app the command finds at APP_URL, and whose database at DATABASE_URL. */
  readonly target?: 'testing';
}

export interface ApprovalStep extends PlanNode {
  readonly kind: 'approval';
  readonly message: Template;
  readonly timeoutMs: number;
}

/** Stands before the steps of a used workflow: its outputs are the workflow's inputs. */
export interface GroupStart extends PlanNode {
  readonly kind: 'group-start';
  readonly outputs: Readonly<Record<string, Template>>;
}

/** Stands behind the steps of a used workflow, under the name of the `uses` step; its outputs are the workflow's. */
export interface GroupEnd extends PlanNode {
  readonly kind: 'group-end';
  readonly outputs: Readonly<Record<string, Template>>;
}

export type PlanStep = RunStep | ApprovalStep | GroupStart | GroupEnd;

/** The checked, compiled form of a pipeline file for one commit. Plain JSON, so that it can be stored and replayed. */
export interface Plan {
  readonly pipeline: string;
  /** Where its steps run, and what they deploy. */
  readonly backend?: Backend;
  /** Every step stands behind the steps that it needs. */
  readonly steps: readonly PlanStep[];
  readonly concurrency?: PlanConcurrency;
  readonly timeoutMs: number;
}
