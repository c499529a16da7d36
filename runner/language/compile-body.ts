import type { Expression, Need, StepId } from '../model/plan.ts';
import { checkFields } from './check-fields.ts';
import type { StepKind } from './check-fields.ts';
import { knowledgeOf, maxSteps } from './compilation.ts';
import type { Body, Compilation } from './compilation.ts';
import { declaredValues } from './compile-files.ts';
import { durationMs } from './compile-limits.ts';
import { compileOperation } from './compile-operation.ts';
import { compileRun } from './compile-run.ts';
import { commandOf } from './compile-script.ts';
import { compileUse, inputNames } from './compile-use.ts';
import type { CompiledBody } from './compile-use.ts';
import { expandMatrix, matrixNames } from './expand-matrix.ts';
import type { Cell } from './expand-matrix.ts';
import type { Names, Offer } from './names.ts';
import type { Step } from './pipeline-file.generated.ts';
import { isDamaged, under } from './problem-list.ts';
import type { Spot } from './problem-list.ts';
import { resolveNeeds } from './resolve-needs.ts';
import type { NamedNeed } from './resolve-needs.ts';
import { lateText } from './step-cell.ts';
import type { StepCell, StepNode } from './step-cell.ts';

/** Appends the steps of a body to the plan, each behind those that it needs. */
export function compileBody(
  compilation: Compilation,
  body: Body,
  elsewhere: ReadonlySet<string> = new Set(),
): CompiledBody {
  const { problems } = compilation;
  const section: Spot = { source: body.source, path: [body.section] };
  const { needs, order } = resolveNeeds(problems, section, body.steps, body.section === 'steps', elsewhere);
  const offers = new Map(
    Object.entries(body.steps).map(([name, step]) => [name, offerOf(compilation, under(section, name), step)]),
  );
  const ids = new Map<string, readonly StepId[]>();
  for (const name of order) {
    const step = body.steps[name];
    if (!step || compilation.steps.length > maxSteps) continue;
    const needed = needs.get(name) ?? [];
    const planned: PlannedStep = {
      name,
      step,
      spot: under(section, name),
      needs: [...entryNeed(body), ...needed.map((need) => planNeed(need, ids))],
      names: namesOf(body, step, needed, offers),
    };
    ids.set(name, compileStep(compilation, body, planned));
  }
  return { ids, offers };
}

interface PlannedStep {
  readonly name: string;
  readonly step: Step;
  readonly spot: Spot;
  readonly needs: readonly Need[];
  readonly names: StepCell['names'];
}

function offerOf({ workflows }: Compilation, spot: Spot, step: Step): Offer {
  const workflow = step.uses === undefined ? undefined : workflows.find(spot, step.uses);
  const declared = declaredValues(step);
  const outputs = workflow ? Object.keys(workflow.source.value.outputs ?? {}) : declared;
  const unknown = isDamaged(spot) || (step.uses !== undefined && !workflow);
  return { outputs: new Set(outputs), matrix: step.matrix !== undefined, ...(unknown && { unknown }) };
}

/** Every step of a workflow waits for its start, so that none runs when the workflow is skipped. */
function entryNeed({ inputs }: Body): readonly Need[] {
  return inputs ? [{ name: 'inputs', steps: [inputs.from], allow: [] }] : [];
}

function planNeed({ name, allow }: NamedNeed, ids: ReadonlyMap<string, readonly StepId[]>): Need {
  return { name, steps: ids.get(name) ?? [], allow };
}

const nothing: Offer = { outputs: new Set(), matrix: false };

function namesOf(
  body: Body,
  step: Step,
  needed: readonly NamedNeed[],
  offers: ReadonlyMap<string, Offer>,
): StepCell['names'] {
  const early: Names = { ...inputNames(body), ...(step.matrix && { matrix: matrixNames(step.matrix) }) };
  const needs = new Map<string, Offer>();
  for (const { name } of needed) needs.set(name, offers.get(name) ?? nothing);
  return {
    early,
    late: { ...early, needs, siblings: offers, ...(body.section === 'finally' && { run: true }) },
  };
}

function compileStep(compilation: Compilation, body: Body, planned: PlannedStep): readonly StepId[] {
  const { name, step, spot, needs, names } = planned;
  const { problems, reader } = compilation;
  if (body.inputs && name === 'inputs') {
    problems.add(
      { ...spot, part: 'key' },
      'step-name',
      'A step of a workflow cannot be called `inputs`.',
      'Rename it.',
    );
  }
  const kind = checkFields(problems, spot, step, body.finally);
  const condition = isAbsent(body, step) ? never : conditionOf(reader, planned);
  const location = spot.source.locate(spot.path, 'key');
  if (!kind) return [];
  return cellsOf(compilation, spot, step).flatMap((cell) => {
    if (compilation.steps.length > maxSteps) return [];
    const knowledge = knowledgeOf(compilation, body, cell?.values);
    const node: StepNode = {
      id: `${body.prefix}${name}${cell ? `:${cell.suffix}` : ''}`,
      name,
      needs,
      ...(condition && { condition }),
      scope: knowledge.scope,
      ...(body.inputs && { inputsFrom: body.inputs.from }),
      finally: body.finally,
      location,
    };
    compileCell({ compilation, body, spot, step, node, names, knowledge }, kind);
    return [node.id];
  });
}

/** A step whose whole script is an input that its caller left out. */
function isAbsent({ inputs }: Body, { run = '' }: Step): boolean {
  return commandOf(run, inputs?.commands)?.script === '';
}

const never: Expression = { cel: 'false' };

function conditionOf(
  reader: Compilation['reader'],
  { step, spot, names }: PlannedStep,
): ReturnType<typeof reader.condition> | undefined {
  return step.if === undefined ? undefined : reader.condition(under(spot, 'if'), step.if, names.late);
}

function cellsOf({ problems }: Compilation, spot: Spot, { matrix }: Step): readonly (Cell | undefined)[] {
  if (!matrix) return [undefined];
  const expanded = expandMatrix(matrix);
  if (expanded.ok) return expanded.cells;
  for (const { path, code, message, hint } of expanded.faults)
    problems.add({ ...under(spot, 'matrix', ...path), part: path.length === 0 ? 'key' : 'value' }, code, message, hint);
  return [];
}

function compileCell(cell: StepCell, kind: StepKind): void {
  const { compilation, step, spot } = cell;
  if (kind === 'run') compilation.steps.push(compileRun(cell));
  else if (kind === 'approval') compileApproval(cell);
  else if (kind === 'operation') compileOperation(cell);
  else {
    const workflow = compilation.workflows.find(spot, step.uses ?? '');
    if (workflow) compileUse(cell, workflow, compileBody);
  }
}

function compileApproval(cell: StepCell): void {
  const { compilation, step, spot, node } = cell;
  const approval = step.approval ?? { message: '' };
  compilation.steps.push({
    ...node,
    kind: 'approval',
    message: lateText(cell, ['approval', 'message'], approval.message),
    timeoutMs: durationMs(compilation.problems, under(spot, 'approval', 'timeout'), approval.timeout, '24h'),
  });
}
