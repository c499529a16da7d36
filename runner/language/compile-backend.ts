import type { Backend, BackendService, Preview } from '../model/backend.ts';
import type { TriggerEvent } from '../model/run-request.ts';
import { checkVariables } from './compile-environment.ts';
import { compilePreview } from './compile-previews.ts';
import type { PipelineFile } from './pipeline-file.generated.ts';
import { under } from './problem-list.ts';
import type { ProblemList, Spot } from './problem-list.ts';

type Service = NonNullable<NonNullable<PipelineFile['backend']>['services']>[string];

/** What the file deploys in a run of this event; undefined when it describes no backend. */
export function compileBackend(
  problems: ProblemList,
  root: Spot,
  { backend }: PipelineFile,
  { runtime, trigger }: { readonly runtime: string; readonly trigger: TriggerEvent },
): Backend | undefined {
  if (backend === undefined) return undefined;
  const { name, services = {}, database, previews } = backend;
  for (const [service, { env = {} }] of Object.entries(services)) {
    const spot = under(root, 'backend', 'services', service);
    checkVariables(problems, under(spot, 'env'), env);
    if (!isTaken(service)) continue;
    const message = `A service of a backend cannot be called \`${service}\`.`;
    const hint = 'Rename it; `db` and names that begin with `test-` or `preview-` are those of Sluice.';
    problems.add({ ...spot, part: 'key' }, 'backend-service', message, hint);
  }
  const preview = compilePreview(problems, root, backend, trigger);
  const compiled = Object.entries(services).map(([service, described]) =>
    withOverlay(compileService(service, described, runtime), preview, previews?.env),
  );
  return { name, services: compiled, ...(database && { database }), ...(preview && { preview }) };
}

/** Names of the objects that Sluice itself makes in the namespace. */
function isTaken(service: string): boolean {
  return service === 'db' || /^(test|preview)-/.test(service) || /-r\d+$/.test(service);
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
function withOverlay(
  service: BackendService,
  preview: Preview | undefined,
  env: BackendService['env'] = {},
): BackendService {
  return preview === undefined ? service : { ...service, env: { ...service.env, ...env } };
}
