import type { PlanService, RunStep, Template } from '../model/plan.ts';
import { commandOf } from './compile-script.ts';
import type { Env, Service } from './pipeline-file.generated.ts';
import type { Path } from './positioned.ts';
import { under } from './problem-list.ts';
import type { ProblemList, Spot } from './problem-list.ts';
import { isReservedVariable } from './reserved-variables.ts';
import { complain, earlyText, lateText } from './step-cell.ts';
import type { StepCell } from './step-cell.ts';

/** The variables of a step: those of its file, overridden by its own. */
export function compileEnv(cell: StepCell): RunStep['env'] {
  const services = { services: new Set(Object.keys(cell.step.services ?? {})) };
  const env = cell.step.env ?? {};
  checkVariables(cell.compilation.problems, under(cell.spot, 'env'), env);
  const own = mapValues(env, (name, value) => lateText(cell, ['env', name], value, services));
  return { ...cell.body.env, ...own };
}

/** The secrets that a step names, and those that came with its script when that is an input. */
export function compileSecrets(cell: StepCell, env: Readonly<Record<string, Template>>): readonly string[] {
  const own = cell.step.secrets ?? [];
  const given = commandOf(cell.step.run ?? '', cell.body.inputs?.commands)?.secrets ?? [];
  checkSecrets(cell);
  const places: readonly (readonly [name: string, path: Path])[] = [
    ...own.map((name, index) => [name, ['secrets', index]] as const),
    ...given.map((name) => [name, ['run']] as const),
  ];
  for (const [name, path] of places) {
    if (!Object.hasOwn(env, name)) continue;
    const message = `\`${name}\` is a secret and a variable of \`env\`.`;
    complain(cell, path, 'variable-twice', message, 'Rename one of the two.');
  }
  return [...new Set([...own, ...given])];
}

export function checkSecrets(cell: StepCell): void {
  for (const [index, name] of (cell.step.secrets ?? []).entries())
    if (isReservedVariable(name)) complain(cell, ['secrets', index], 'variable-reserved', ...reservedText(name));
}

export function compileServices(cell: StepCell): readonly PlanService[] {
  return Object.entries(cell.step.services ?? {}).map(([name, service]) => compileService(cell, name, service));
}

function compileService(cell: StepCell, name: string, service: Service): PlanService {
  const path: Path = ['services', name];
  const env = service.env ?? {};
  checkVariables(cell.compilation.problems, under(cell.spot, ...path, 'env'), env);
  return {
    name,
    image: earlyText(cell, [...path, 'image'], service.image),
    env: mapValues(env, (variable, value) => earlyText(cell, [...path, 'env', variable], value)),
    ...(service.ready !== undefined && { ready: earlyText(cell, [...path, 'ready'], service.ready) }),
    ...(service.port !== undefined && { port: service.port }),
  };
}

export function checkVariables(problems: ProblemList, spot: Spot, env: Env): void {
  for (const name of Object.keys(env)) {
    if (!isReservedVariable(name)) continue;
    problems.add({ ...under(spot, name), part: 'key' }, 'variable-reserved', ...reservedText(name));
  }
}

function reservedText(name: string): [message: string, hint: string] {
  return [
    `\`${name}\` cannot be set from a file.`,
    'It changes how programs start. Set it in the script, where it is needed: `export …`.',
  ];
}

export function mapValues<Value, Result>(
  map: Readonly<Record<string, Value>>,
  change: (key: string, value: Value) => Result,
): Readonly<Record<string, Result>> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(key, value)]));
}
