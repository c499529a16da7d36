import type { Backend } from '../model/backend.ts';
import type { Scope } from '../expressions/expression.ts';
import type { Knowledge } from '../expressions/reduce-template.ts';
import type { Capability, PlanStep, StepId, Template } from '../model/plan.ts';
import type { ExpressionReader } from './expression-reader.ts';
import type { PipelineFile, Step, WorkflowFile } from './pipeline-file.generated.ts';
import type { Positioned } from './positioned.ts';
import type { ProblemList } from './problem-list.ts';
import type { Workflows } from './workflows.ts';

export const maxSteps = 2_000;

/** What the compilation of one pipeline file works with. */
export interface Compilation {
  readonly problems: ProblemList;
  readonly reader: ExpressionReader;
  readonly workflows: Workflows;
  /** Facts of the run: `branch`, `commit`, … */
  readonly facts: Scope;
  /** Of the pipeline file, for workflows as well. */
  readonly env: Readonly<Record<string, Template>>;
  readonly runtime: string;
  /** What the pipeline deploys. */
  readonly backend: Backend | undefined;
  /** The steps of the plan so far, each behind those that it needs. */
  readonly steps: PlanStep[];
}

/** A script that came in as an input, with the secrets that were given to it where it was written. */
export interface CommandInput {
  readonly script: string;
  readonly secrets: readonly string[];
}

/** Inputs of the workflow that a body belongs to. */
export interface BodyInputs {
  /** The group start that gives them. */
  readonly from: StepId;
  readonly names: ReadonlySet<string>;
  /** Those known before the run. */
  readonly known: Readonly<Record<string, string>>;
  readonly commands: Readonly<Record<string, CommandInput>>;
}

/** A map of steps that is being compiled: those of the pipeline, of its `finally`, or of one use of a workflow. */
export interface Body {
  readonly source: Positioned<PipelineFile | WorkflowFile>;
  readonly section: 'steps' | 'finally';
  readonly steps: Readonly<Record<string, Step>>;
  /** Stands before the names of the steps: '' or `load/`. */
  readonly prefix: string;
  readonly finally: boolean;
  readonly inputs?: BodyInputs;
  readonly env: Readonly<Record<string, Template>>;
  readonly runtime: string;
  readonly requires: readonly Capability[];
  readonly infraRetries: number;
  /** The workflows that this one is used by, outermost first, itself included. */
  readonly calls: readonly string[];
}

/** What is known in a body before the run, for one cell of a matrix. */
export function knowledgeOf(
  compilation: Compilation,
  body: Body,
  matrix?: Readonly<Record<string, string>>,
): Knowledge {
  const scope = {
    ...compilation.facts,
    ...(body.inputs && { inputs: body.inputs.known }),
    ...(matrix && { matrix }),
  };
  const isKnown = ([root = '', name = '']: readonly string[]) =>
    root === 'inputs' ? Object.hasOwn(body.inputs?.known ?? {}, name) : Object.hasOwn(scope, root);
  return { scope, isKnown };
}
