import { inputVariable, operations } from '../model/operations.ts';
import type { OperationName } from '../model/operations.ts';
import type { RunStep, Template } from '../model/plan.ts';
import { checkBackend } from './check-backend.ts';
import { durationMs } from './compile-limits.ts';
import { commandOf } from './compile-script.ts';
import { didYouMean } from './did-you-mean.ts';
import { under } from './problem-list.ts';
import { lateText } from './step-cell.ts';
import type { StepCell } from './step-cell.ts';

/** The image that the operations are commands of. */
const image = 'sluice';

/** A step whose command is ours: nothing of the file becomes a part of it but the values of its inputs. */
export function compileOperation(cell: StepCell): void {
  const { step, body, compilation } = cell;
  const { operation } = step;
  if (operation === undefined) return;
  checkBackend(cell, 'operation');
  const compiled: RunStep = {
    ...cell.node,
    kind: 'run',
    operation,
    script: `sluice operation ${operation}`,
    shell: 'sh',
    image,
    workdir: '',
    env: { ...inputs(cell, operation), ...facts(cell) },
    secrets: [],
    services: [],
    junit: { paths: [], allowEmpty: false },
    artifacts: [],
    outputs: { paths: filesOf(operation), values: operations[operation].outputs },
    caches: [],
    resources: {},
    timeoutMs: durationMs(compilation.problems, under(cell.spot, 'timeout'), step.timeout, '1h'),
    retry: { max: 0, on: [], backoffMs: 0 },
    infraRetries: 2,
    requires: [...new Set([...body.requires, 'environments' as const, ...buildsOf(cell, operation)])],
  };
  compilation.steps.push(compiled);
}

/** The step that makes the images needs somebody who builds Containerfiles, where there are any. */
function buildsOf({ compilation: { backend } }: StepCell, operation: OperationName): readonly 'containerfiles'[] {
  const isBuilt = backend?.services.some(({ containerfile }) => containerfile !== undefined) ?? false;
  return operation === 'build-release' && isBuilt ? ['containerfiles'] : [];
}

function filesOf(operation: OperationName): readonly string[] {
  const { files } = { files: [], ...operations[operation] };
  return files;
}

function inputs(cell: StepCell, operation: OperationName): Readonly<Record<string, Template>> {
  const given = cell.step.with ?? {};
  const declared: Readonly<Record<string, string>> = operations[operation].inputs;
  const names = Object.keys(declared);
  for (const name of Object.keys(given).filter((candidate) => !names.includes(candidate))) {
    const listed = names.length === 0 ? 'It has none.' : `Its inputs are ${names.join(', ')}.`;
    const spot = { ...under(cell.spot, 'with', name), part: 'key' as const };
    const message = `\`${operation}\` has no input \`${name}\`.`;
    cell.compilation.problems.add(spot, 'input-unknown', message, didYouMean(name, names) ?? listed);
  }
  const values = names.map((name) => {
    const text = given[name];
    const value = text === undefined ? declared[name] : inputValue(cell, name, text);
    return [inputVariable(name), value];
  });
  return Object.fromEntries(values) as Readonly<Record<string, Template>>;
}

/** A script that came in as an input is a value like any other here: it is put on record, and not run by the operation. */
function inputValue(cell: StepCell, name: string, text: string): Template {
  return commandOf(text, cell.body.inputs?.commands)?.script ?? lateText(cell, ['with', name], text);
}

/** What a release is recorded with. */
function facts({ compilation }: StepCell): Readonly<Record<string, string>> {
  const { facts: known } = compilation;
  const text = (name: string): string => (typeof known[name] === 'string' ? known[name] : '');
  return { SLUICE_COMMIT: text('commit'), SLUICE_BRANCH: text('branch'), SLUICE_ACTOR: text('actor') };
}
