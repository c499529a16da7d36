import type { Backend, BackendService } from '../model/backend.ts';
import { checkPatterns } from './check-triggers.ts';
import { checkVariables } from './compile-environment.ts';
import type { PipelineFile } from './pipeline-file.generated.ts';
import { under } from './problem-list.ts';
import type { ProblemList, Spot } from './problem-list.ts';

/** `backend:` of a pipeline file. */
export type BackendDescription = NonNullable<PipelineFile['backend']>;

type Service = NonNullable<BackendDescription['services']>[string];

/** What the file deploys; undefined when it describes no backend. */
export function compileBackend(
  problems: ProblemList,
  root: Spot,
  { backend }: PipelineFile,
  runtime: string,
): Backend | undefined {
  if (backend === undefined) return undefined;
  const { services = {}, promote } = backend;
  if (promote) checkPatterns(problems, under(root, 'backend', 'promote', 'branches'), promote.branches);
  for (const [service, { env = {} }] of Object.entries(services)) {
    const spot = under(root, 'backend', 'services', service);
    checkVariables(problems, under(spot, 'env'), env);
    if (!isTaken(service)) continue;
    const message = `A service of a backend cannot be called \`${service}\`.`;
    const hint = 'Rename it; `db` and names that begin with `test-` are those of Sluice.';
    problems.add({ ...spot, part: 'key' }, 'backend-service', message, hint);
  }
  return backendOf(backend, runtime);
}

/** The backend of a description in the form of the file. `runtime` is the image of services that name none. */
export function backendOf({ name, services = {}, database, promote }: BackendDescription, runtime: string): Backend {
  const compiled = Object.entries(services).map(([service, described]) => compileService(service, described, runtime));
  return { name, services: compiled, ...(database && { database }), ...(promote && { promote }) };
}

/** Names of the objects that Sluice itself makes in the namespace. */
export function isTaken(service: string): boolean {
  return service === 'db' || service.startsWith('test-') || /-r\d+$/.test(service);
}

function compileService(name: string, service: Service, runtime: string): BackendService {
  const { start, image = runtime, port, health, env = {}, replicas = 1 } = service;
  return {
    name,
    start,
    image,
    ...(port !== undefined && { port }),
    ...(health !== undefined && { health }),
    env,
    replicas,
  };
}
