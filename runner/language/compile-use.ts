import type { GroupEnd, GroupStart, Need, StepId } from '../model/plan.ts';
import { knowledgeOf } from './compilation.ts';
import type { Body, CommandInput, Compilation } from './compilation.ts';
import { checkBackend } from './check-backend.ts';
import { checkSecrets, checkVariables, mapValues } from './compile-environment.ts';
import { compileInputs } from './compile-inputs.ts';
import type { GivenInputs } from './compile-inputs.ts';
import { commandOf } from './compile-script.ts';
import type { Names, Offer } from './names.ts';
import { under } from './problem-list.ts';
import { complain } from './step-cell.ts';
import type { StepCell } from './step-cell.ts';
import type { Workflow } from './workflows.ts';

/** The steps of a body by name, and what each offers. */
export interface CompiledBody {
  readonly ids: ReadonlyMap<string, readonly StepId[]>;
  readonly offers: ReadonlyMap<string, Offer>;
}

export type CompileBody = (compilation: Compilation, body: Body) => CompiledBody;

const deepest = 8;
/** Gates that must not run twice by themselves: a fault in the middle of one is for people to look at. */
const once: ReadonlySet<string> = new Set(['migrate', 'promote']);

/** A used workflow becomes a start that holds its inputs, its steps, and an end of the caller's name that holds its outputs. */
export function compileUse(cell: StepCell, workflow: Workflow, compileBody: CompileBody): void {
  const { compilation, node } = cell;
  if (isEndless(cell, workflow)) return;
  if (workflow.source.value.requires?.includes('environments') === true) checkBackend(cell, 'uses');
  const inputs = compileInputs(cell, workflow.source);
  checkGivenSecrets(cell, workflow, inputs);
  const start: GroupStart = { ...node, kind: 'group-start', id: `${node.id}/inputs`, outputs: inputs.values };
  compilation.steps.push(start);
  const body = innerBody(cell, workflow, start.id, inputs);
  const inner = compileBody(compilation, body);
  compilation.steps.push(groupEnd(cell, workflow, body, inner));
}

function isEndless(cell: StepCell, { key }: Workflow): boolean {
  const { calls } = cell.body;
  const path = [...calls, key];
  if (calls.includes(key)) {
    const message = `This workflow uses itself: ${path.slice(path.indexOf(key)).join(' → ')}.`;
    complain(cell, ['uses'], 'uses-cycle', message, 'Take out one of these uses.');
  } else if (path.length > deepest) {
    const message = `Workflows are used more than ${deepest} deep: ${path.join(' → ')}.`;
    complain(cell, ['uses'], 'uses-too-deep', message, 'Use the inner workflow directly.');
  }
  return calls.includes(key) || path.length > deepest;
}

/**
 * A workflow has no secrets but those that its caller gives: to the scripts that the caller writes in `with`, and to the
 * steps of the workflow that name them.
 */
function checkGivenSecrets(cell: StepCell, { source }: Workflow, { commands }: GivenInputs): void {
  checkSecrets(cell);
  const given = cell.step.secrets ?? [];
  const named = new Set(Object.values(source.value.steps).flatMap((step) => step.secrets ?? []));
  const at = cell.step.secrets ? ['secrets'] : ['uses'];
  for (const name of named) {
    if (given.includes(name)) continue;
    const message = `\`${source.value.workflow}\` needs the secret \`${name}\`.`;
    complain(cell, at, 'secret-not-given', message, `Give it: \`secrets: [${[...given, name].join(', ')}]\`.`);
  }
  const run = Object.entries(commands).filter(([name, command]) => isRun(source.value.steps, name, command));
  const taken = new Set([...named, ...run.flatMap(([, command]) => command.secrets)]);
  for (const [index, name] of given.entries()) {
    if (taken.has(name) || source.damaged) continue;
    const message = `\`${source.value.workflow}\` does nothing with the secret \`${name}\`.`;
    complain(
      cell,
      ['secrets', index],
      'secret-unused',
      message,
      'Delete it here, or name it under `secrets` of a step of the workflow.',
    );
  }
}

/** Whether a script becomes that of a step: an operation puts it on record and runs it elsewhere, where there are no secrets of steps. */
function isRun(steps: Workflow['source']['value']['steps'], name: string, command: CommandInput): boolean {
  return Object.values(steps).some(({ run, operation, with: given = {} }) => {
    const texts = [run, ...(operation === undefined ? Object.values(given) : [])];
    return texts.some((text) => text !== undefined && commandOf(text, { [name]: command }) !== undefined);
  });
}

function innerBody(cell: StepCell, { key, gate, source }: Workflow, from: StepId, inputs: GivenInputs): Body {
  const { compilation, body } = cell;
  const { value } = source;
  const names = new Set(Object.keys(inputs.values));
  const bare: Body = {
    source,
    section: 'steps',
    steps: value.steps,
    prefix: `${cell.node.id}/`,
    finally: body.finally,
    inputs: { from, names, known: inputs.known, commands: inputs.commands },
    env: compilation.env,
    runtime: compilation.runtime,
    requires: [...new Set([...body.requires, ...(value.requires ?? [])])],
    infraRetries: gate && once.has(key) ? 0 : body.infraRetries,
    calls: [...body.calls, key],
  };
  return { ...bare, ...fileDefaults(compilation, bare, value) };
}

/** `env` and `runtime` of a workflow file, which may use its inputs. */
function fileDefaults(
  compilation: Compilation,
  body: Body,
  file: Workflow['source']['value'],
): Pick<Body, 'env' | 'runtime'> {
  const { reader, problems } = compilation;
  const known = knowledgeOf(compilation, body);
  const names = inputNames(body);
  const root = { source: body.source, path: [] };
  checkVariables(problems, under(root, 'env'), file.env ?? {});
  const own = mapValues(file.env ?? {}, (name, text) =>
    reader.template({ spot: under(root, 'env', name), text, names }, known),
  );
  const { runtime } = file;
  return {
    env: { ...body.env, ...own },
    runtime:
      runtime === undefined ? body.runtime : reader.text({ spot: under(root, 'runtime'), text: runtime, names }, known),
  };
}

export function inputNames({ inputs }: Body): Pick<Names, 'inputs' | 'commands'> {
  return inputs ? { inputs: inputs.names, commands: new Set(Object.keys(inputs.commands)) } : {};
}

function groupEnd({ compilation, node }: StepCell, workflow: Workflow, body: Body, inner: CompiledBody): GroupEnd {
  const { id, name, location } = node;
  const known = knowledgeOf(compilation, body);
  const names = { ...inputNames(body), steps: inner.offers };
  const outputs = mapValues(workflow.source.value.outputs ?? {}, (output, { value }) =>
    compilation.reader.template(
      { spot: { source: workflow.source, path: ['outputs', output, 'value'] }, text: value, names },
      known,
    ),
  );
  const needs: readonly Need[] = [...inner.ids].map(([step, steps]) => ({ name: step, steps, allow: [] }));
  return {
    kind: 'group-end',
    id,
    name,
    needs,
    scope: known.scope,
    inputsFrom: `${id}/inputs`,
    finally: body.finally,
    location,
    outputs,
  };
}
