import { join } from 'node:path';
import { foldersBelow, volume } from '../../agent/folders.ts';
import type { ServiceCheck, Work } from '../../agent/protocol.ts';
import { endingVariable } from '../../model/operations.ts';
import { declaredResults } from '../../workspace/collect-results.ts';
import type { AttemptContext, AttemptSpec, ServiceAddress } from '../executor.ts';
import { attemptEnvironment, declaredValues, stepEnvironment } from '../step-environment.ts';
import type { StepAccess } from './backend-namespaces.ts';
import type { PodService } from './pod-services.ts';

const folders = foldersBelow(volume);

/** What the agent has to know once the command may go; AttemptEnded when a value cannot be rendered. */
export function workOf({
  spec,
  context,
  services,
  access,
}: {
  readonly spec: AttemptSpec;
  readonly context: AttemptContext;
  readonly services: readonly PodService[];
  readonly access?: StepAccess;
}): Work {
  const { step, layers, caches } = spec;
  return {
    layers,
    caches,
    script: step.script,
    shell: step.shell,
    workdir: step.workdir,
    env: {
      ...variables(spec, context, Object.fromEntries(services.map(({ name, address }) => [name, address]))),
      ...access?.variables,
      ...(step.operation !== undefined && { [endingVariable]: join(folders.control, 'stopping') }),
    },
    declared: declaredResults(step, caches),
    services: services.map(({ check }): ServiceCheck => check),
    maxLogBytes: context.maxLogBytes,
    maxUploadBytes: context.maxUploadBytes,
    echo: Object.keys(spec.secrets).length === 0,
  };
}

/** Everything but secrets: those are in the container's environment already, and what is set here would win over them. */
function variables(
  spec: AttemptSpec,
  context: AttemptContext,
  services: Readonly<Record<string, ServiceAddress>>,
): Readonly<Record<string, string>> {
  const base = attemptEnvironment({ LANG: 'C.UTF-8' }, folders);
  const all = stepEnvironment(
    base,
    { ...spec, secrets: {} },
    declaredValues(spec, context, services),
    services,
    folders,
  );
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => !(name in spec.secrets) || name.startsWith('SLUICE')),
  );
}
