import type { PlanService, RunStep, Template } from '../model/plan.ts';
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

export function compileSecrets(cell: StepCell, env: Readonly<Record<string, Template>>): readonly string[] {
  const secrets = cell.step.secrets ?? [];
  for (const [index, name] of secrets.entries()) {
    const path: Path = ['secrets', index];
    if (isReservedVariable(name)) complain(cell, path, 'variable-reserved', ...reservedText(name));
    if (!Object.hasOwn(env, name)) continue;
    complain(
      cell,
      path,
      'variable-twice',
      `\`${name}\` is a secret and a variable of \`env\`.`,
      'Rename one of the two.',
    );
  }
  return secrets;
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
