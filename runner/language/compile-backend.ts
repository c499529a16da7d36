import type { Backend, BackendService, Preview } from '../model/backend.ts';
import type { TriggerEvent } from '../model/run-request.ts';
import { checkPatterns } from './check-triggers.ts';
import { checkVariables } from './compile-environment.ts';
import { pathFault } from './check-path.ts';
import { compilePreview } from './compile-previews.ts';
import { didYouMean } from './did-you-mean.ts';
import type { CommitFile } from './hash-files.ts';
import type { PipelineFile } from './pipeline-file.generated.ts';
import { under } from './problem-list.ts';
import type { ProblemList, Spot } from './problem-list.ts';
import { isReservedVariable } from './reserved-variables.ts';

/** `backend:` of a pipeline file. */
export type BackendDescription = NonNullable<PipelineFile['backend']>;

type Service = NonNullable<BackendDescription['services']>[string];

interface BackendSurroundings {
  readonly runtime: string;
  readonly trigger: TriggerEvent;
  /** Of the commit; none where they are not known. */
  readonly files: readonly CommitFile[];
}

/** What is wrong with a service; with the service as a whole where no field is named. */
export interface ServiceFault {
  readonly code: 'backend-service' | 'missing-key' | 'containerfile-invalid';
  readonly field?: 'start' | 'containerfile';
  readonly message: string;
  readonly hint: string;
}

/** What is left of the 63 characters of a namespace's name for that of its builds. */
const longestWithBuilds = 57;

/** What the file deploys in a run of this event; undefined when it describes no backend. */
export function compileBackend(
  problems: ProblemList,
  root: Spot,
  { backend }: PipelineFile,
  { runtime, trigger, files }: BackendSurroundings,
): Backend | undefined {
  if (backend === undefined) return undefined;
  const { services = {}, promote } = backend;
  if (promote) checkPatterns(problems, under(root, 'backend', 'promote', 'branches'), promote.branches);
  for (const [service, described] of Object.entries(services)) {
    const spot = under(root, 'backend', 'services', service);
    checkVariables(problems, under(spot, 'env'), described.env ?? {});
    checkConstants(problems, spot, described);
    const fault = serviceFault(backend.name, service, described) ?? missingFile(described, files);
    if (fault === undefined) continue;
    const isWritten = fault.field !== undefined && described[fault.field] !== undefined;
    const at = isWritten ? under(spot, fault.field) : { ...spot, part: 'key' as const };
    problems.add(at, fault.code, fault.message, fault.hint);
  }
  checkConstants(problems, under(root, 'backend', 'previews'), backend.previews ?? {});
  const preview = compilePreview(problems, root, backend, trigger);
  const compiled = backendOf(backend, runtime);
  return preview === undefined ? compiled : forPreview(compiled, preview, backend.previews?.env);
}

/** The backend of a description in the form of the file. `runtime` is the image of services that name none. */
export function backendOf({ name, services = {}, database, promote }: BackendDescription, runtime: string): Backend {
  const compiled = Object.entries(services).map(([service, described]) => compileService(service, described, runtime));
  return { name, services: compiled, ...(database && { database }), ...(promote && { promote }) };
}

/** What is wrong with a service that its form does not tell. */
export function serviceFault(backend: string, name: string, service: Service): ServiceFault | undefined {
  const { start, image, containerfile } = service;
  if (isTaken(name)) {
    const hint = 'Rename it; `db` and names that begin with `test-` or `preview-` are those of Sluice.';
    return { code: 'backend-service', message: `A service of a backend cannot be called \`${name}\`.`, hint };
  }
  if (containerfile === undefined) {
    if (start !== undefined) return undefined;
    const hint = 'Add `start: …`, the command that starts it, or `containerfile: …`, which makes its image.';
    return { code: 'missing-key', field: 'start', message: `The service \`${name}\` lacks the key \`start\`.`, hint };
  }
  const invalid = (message: string, hint: string): ServiceFault => {
    return { code: 'containerfile-invalid', field: 'containerfile', message, hint };
  };
  if (image !== undefined) {
    return invalid(
      `The service \`${name}\` has an \`image\` too.`,
      'Take one of the two out: `FROM` names the image below.',
    );
  }
  if (backend.length > longestWithBuilds) {
    const message = `The name of the backend is too long for one with a Containerfile.`;
    return invalid(
      message,
      `Shorten it to ${longestWithBuilds} characters: its builds have a namespace \`NAME-build\`.`,
    );
  }
  const fault = pathFault(containerfile);
  return fault && invalid(fault.message, fault.hint);
}

/** A release is the same in testing and in production, and begins again without the run that made it: nothing in it is evaluated. */
function checkConstants(problems: ProblemList, spot: Spot, described: Pick<Service, 'start' | 'image' | 'env'>): void {
  const { start = '', image = '', env = {} } = described;
  const texts = [
    [['start'], start],
    [['image'], image],
    ...Object.entries(env).map(([name, value]) => [['env', name], value] as const),
  ] as const;
  for (const [path, text] of texts) {
    if (!text.includes('${{')) continue;
    const message = 'Here `${{ }}` is not evaluated.';
    const hint =
      'Write the value itself. An app finds its commit in `SLUICE_COMMIT`, its release in `SLUICE_RELEASE`, its environment in `SLUICE_ENVIRONMENT`.';
    problems.add(under(spot, ...path), 'expression-out-of-place', message, hint);
  }
}

function missingFile({ containerfile }: Service, files: readonly CommitFile[]): ServiceFault | undefined {
  if (containerfile === undefined || files.length === 0) return undefined;
  const paths = files.map(({ path }) => path);
  if (paths.includes(containerfile)) return undefined;
  const likely = paths.filter((path) => /(^|\/)(Containerfile|Dockerfile)[^/]*$/.test(path));
  const hint =
    didYouMean(containerfile, likely) ?? 'Paths begin at the root of the repository. Was the file committed?';
  const message = `There is no \`${containerfile}\` in this commit.`;
  return { code: 'containerfile-invalid', field: 'containerfile', message, hint };
}

/** Names of the objects that Sluice itself makes in the namespace. */
function isTaken(service: string): boolean {
  return service === 'db' || /^(test|preview)-/.test(service) || /-r\d+$/.test(service);
}

/** The first variable that no service may be given, because it would change what starts. */
export function reservedVariableOf(env: BackendService['env']): string | undefined {
  return Object.keys(env).find(isReservedVariable);
}

function compileService(name: string, service: Service, runtime: string): BackendService {
  const { start, image = runtime, containerfile, port, health, env = {}, replicas = 1 } = service;
  return {
    name,
    ...(start !== undefined && { start }),
    image,
    ...(containerfile !== undefined && { containerfile }),
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
