import type { Scope } from '../expressions/expression.ts';
import { groupOfRuns } from '../model/backend.ts';
import type { Plan, PlanConcurrency } from '../model/plan.ts';
import type { Checked } from '../model/problem.ts';
import type { TriggerEvent } from '../model/run-request.ts';
import { checkTriggers } from './check-triggers.ts';
import { maxSteps } from './compilation.ts';
import type { Body, Compilation } from './compilation.ts';
import { compileBackend } from './compile-backend.ts';
import { compileBody } from './compile-body.ts';
import { checkVariables, mapValues } from './compile-environment.ts';
import { durationMs } from './compile-limits.ts';
import { ExpressionReader } from './expression-reader.ts';
import { hashFilesOf } from './hash-files.ts';
import type { CommitFile } from './hash-files.ts';
import { readablePart } from './parse-file.ts';
import type { ParsedFile } from './parse-file.ts';
import type { PipelineFile } from './pipeline-file.generated.ts';
import type { Positioned } from './positioned.ts';
import { ProblemList, under } from './problem-list.ts';
import type { Spot } from './problem-list.ts';
import { Workflows } from './workflows.ts';
import type { WorkflowTexts } from './workflows.ts';

export interface CompileInput {
  readonly file: ParsedFile<PipelineFile>;
  readonly trigger: TriggerEvent;
  /** Files of the commit, for `hashFiles`. */
  readonly files: readonly CommitFile[];
  /** What `missingWorkflows` asked for, and the gates. */
  readonly workflows: WorkflowTexts;
}

/** A parsed pipeline file to the plan of one run, or to every mistake of form and meaning in it and in its workflows. */
export function compilePipeline({ file: parsed, trigger, files, workflows }: CompileInput): Checked<Plan> {
  const file = readablePart(parsed);
  if (!file) return parsed.ok ? { ok: false, problems: [] } : parsed;
  const problems = new ProblemList();
  if (!parsed.ok) problems.addAll(parsed.problems);
  const root: Spot = { source: file, path: [] };
  const { pipeline, on, timeout } = file.value;
  const reader = new ExpressionReader(problems, hashFilesOf(files));
  const facts = factsOf(trigger);
  const defaults = fileDefaults(root, file.value, reader, facts);
  const backend = compileBackend(problems, root, file.value, { runtime: defaults.runtime, trigger, files });
  const compilation: Compilation = {
    problems,
    reader,
    workflows: new Workflows(problems, workflows),
    facts,
    steps: [],
    backend,
    ...defaults,
  };
  checkVariables(problems, under(root, 'env'), file.value.env ?? {});
  if (on) checkTriggers(problems, under(root, 'on'), on);
  const timeoutMs = durationMs(problems, under(root, 'timeout'), timeout, '24h');
  const concurrency = pipelineConcurrency(root, file.value, compilation);
  compileSections(compilation, file);
  const alone = concurrency ?? aloneInBackend(compilation);
  const { sorted } = problems;
  if (sorted.length > 0) return { ok: false, problems: sorted };
  return {
    ok: true,
    value: {
      pipeline,
      ...(backend && { backend }),
      steps: compilation.steps,
      ...(alone && { concurrency: alone }),
      timeoutMs,
    },
  };
}

/** What every expression may use. A push has an empty `pull_request`, and a branch an empty `tag`. */
function factsOf(trigger: TriggerEvent): Scope {
  const { branch, tag, commit, event, ref, actor, pullRequest } = trigger;
  return { branch, tag, commit, event, ref, actor, pull_request: pullRequest ? { ...pullRequest } : {} };
}

function fileDefaults(
  root: Spot,
  file: PipelineFile,
  reader: ExpressionReader,
  facts: Scope,
): Pick<Compilation, 'env' | 'runtime'> {
  const known = { scope: facts, isKnown: () => true };
  return {
    env: mapValues(file.env ?? {}, (name, text) =>
      reader.text({ spot: under(root, 'env', name), text, names: {} }, known),
    ),
    runtime: reader.text({ spot: under(root, 'runtime'), text: file.runtime ?? 'base', names: {} }, known),
  };
}

function pipelineConcurrency(
  root: Spot,
  file: PipelineFile,
  { reader, facts }: Compilation,
): PlanConcurrency | undefined {
  if (!file.concurrency) return undefined;
  const at = { spot: under(root, 'concurrency', 'group'), text: file.concurrency.group, names: {} };
  return { group: reader.text(at, { scope: facts, isKnown: () => true }), policy: file.concurrency.policy ?? 'queue' };
}

/** Of the runs that deploy to the same environments one is under way at a time, in the order in which they came. */
function aloneInBackend({ backend, steps }: Compilation): PlanConcurrency | undefined {
  const deploys = steps.some((step) => step.kind === 'run' && step.requires.includes('environments'));
  return backend && deploys
    ? { group: groupOfRuns(backend.name, backend.preview?.environment), policy: 'queue' }
    : undefined;
}

function compileSections(compilation: Compilation, source: Positioned<PipelineFile>): void {
  const { steps, finally: last = {} } = source.value;
  const { problems, env, runtime } = compilation;
  for (const name of Object.keys(last)) {
    if (!Object.hasOwn(steps, name)) continue;
    const spot = { source, path: ['finally', name], part: 'key' as const };
    problems.add(spot, 'step-name', `There is a step \`${name}\` above already.`, 'Rename one of the two.');
  }
  const shared = { source, prefix: '', env, runtime, requires: [], infraRetries: 2, calls: [] };
  const main: Body = { ...shared, section: 'steps', steps, finally: false };
  const final: Body = { ...shared, section: 'finally', steps: last, finally: true };
  compileBody(compilation, main, new Set(Object.keys(last)));
  compileBody(compilation, final, new Set(Object.keys(steps)));
  if (compilation.steps.length <= maxSteps) return;
  const spot = { source, path: ['steps'], part: 'key' as const };
  problems.add(
    spot,
    'plan-too-large',
    `The plan has more than ${maxSteps} steps.`,
    'Make matrices smaller, or split the pipeline.',
  );
}
