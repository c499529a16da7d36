import type { Backend, BackendService, Preview } from '../model/backend.ts';
import type { TriggerEvent } from '../model/run-request.ts';
import { checkPatterns } from './check-triggers.ts';
import { checkVariables } from './compile-environment.ts';
import { compilePreview } from './compile-previews.ts';
import type { PipelineFile } from './pipeline-file.generated.ts';
import { under } from './problem-list.ts';
import type { ProblemList, Spot } from './problem-list.ts';
import { isReservedVariable } from './reserved-variables.ts';

/** `backend:` of a pipeline file. */
export type BackendDescription = NonNullable<PipelineFile['backend']>;

type Service = NonNullable<BackendDescription['services']>[string];

/** What the file deploys in a run of this event; undefined when it describes no backend. */
export function compileBackend(
  problems: ProblemList,
  root: Spot,
  { backend }: PipelineFile,
  { runtime, trigger }: { readonly runtime: string; readonly trigger: TriggerEvent },
): Backend | undefined {
  if (backend === undefined) return undefined;
  const { services = {}, promote } = backend;
  if (promote) checkPatterns(problems, under(root, 'backend', 'promote', 'branches'), promote.branches);
  for (const [service, { env = {} }] of Object.entries(services)) {
    const spot = under(root, 'backend', 'services', service);
    checkVariables(problems, under(spot, 'env'), env);
    if (!isTaken(service)) continue;
    const message = `A service of a backend cannot be called \`${service}\`.`;
    const hint = 'Rename it; `db` and names that begin with `test-` or `preview-` are those of Sluice.';
    problems.add({ ...spot, part: 'key' }, 'backend-service', message, hint);
  }
  const preview = compilePreview(problems, root, backend, trigger);
  const compiled = backendOf(backend, runtime);
  return preview === undefined ? compiled : forPreview(compiled, preview, backend.previews?.env);
}

/** The backend of a description in the form of the file. `runtime` is the image of services that name none. */
export function backendOf({ name, services = {}, database, promote }: BackendDescription, runtime: string): Backend {
  const compiled = Object.entries(services).map(([service, described]) => compileService(service, described, runtime));
  return { name, services: compiled, ...(database && { database }), ...(promote && { promote }) };
}

/** Names of the objects that Sluice itself makes in the namespace. */
export function isTaken(service: string): boolean {
  return service === 'db' || /^(test|preview)-/.test(service) || /-r\d+$/.test(service);
}

/** The first variable that no service may be given, because it would change what starts. */
export function reservedVariableOf(env: BackendService['env']): string | undefined {
  return Object.keys(env).find(isReservedVariable);
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

/** Only the description of a preview's own run has these values: what is on its way to production never knew them (R003-15). */
function forPreview(backend: Backend, preview: Preview, env: BackendService['env'] = {}): Backend {
  const services = backend.services.map((service) => ({ ...service, env: { ...service.env, ...env } }));
  return { ...backend, services, preview };
}
