import type { Capability, RunStep } from '../model/plan.ts';
import { compileEnv, compileSecrets, compileServices } from './compile-environment.ts';
import { compileArtifacts, compileCaches, compileJunit, compileOutputs, compileWorkdir } from './compile-files.ts';
import { compileConcurrency, compileResources, compileRetry, durationMs } from './compile-limits.ts';
import { checkBackend } from './check-backend.ts';
import { compileScript } from './compile-script.ts';
import { under } from './problem-list.ts';
import { earlyText } from './step-cell.ts';
import type { StepCell } from './step-cell.ts';

export function compileRun(cell: StepCell): RunStep {
  const { step, body, compilation } = cell;
  const env = compileEnv(cell);
  const services = compileServices(cell);
  const limit = step.matrix?.['max-parallel'];
  return {
    ...cell.node,
    kind: 'run',
    script: compileScript(cell),
    shell: step.shell ?? 'sh',
    image: earlyText(cell, ['image'], step.image ?? '') || body.runtime,
    workdir: compileWorkdir(cell),
    env,
    secrets: compileSecrets(cell, env),
    services,
    junit: compileJunit(cell),
    artifacts: compileArtifacts(cell),
    outputs: compileOutputs(cell),
    caches: compileCaches(cell),
    resources: compileResources(cell),
    timeoutMs: durationMs(compilation.problems, under(cell.spot, 'timeout'), step.timeout, '1h'),
    retry: compileRetry(cell),
    infraRetries: body.infraRetries,
    ...(step.concurrency && { concurrency: compileConcurrency(cell, step.concurrency) }),
    ...(limit !== undefined && { throttle: { group: `${body.prefix}${cell.node.name}`, limit } }),
    ...compileTarget(cell),
    requires: requirements(cell, services.length > 0),
  };
}

function compileTarget(cell: StepCell): Pick<RunStep, 'target'> {
  const { target } = cell.step;
  if (target === undefined) return {};
  checkBackend(cell, 'target');
  return { target };
}

function requirements({ step, body }: StepCell, hasServices: boolean): readonly Capability[] {
  const own: readonly Capability[] = [
    ...(hasServices ? (['services'] as const) : []),
    ...(step.target === undefined ? [] : (['environments'] as const)),
  ];
  return [...new Set([...body.requires, ...own])];
}
