import { known } from '../environments/backends.ts';
import type { Backends, KnownBackend } from '../environments/backends.ts';
import { deleteBackend } from '../gates/backends/delete.ts';
import { backendStatus } from '../gates/backends/status.ts';
import { toldBackend, toldStatus } from '../gates/backends/tell.ts';
import { backendOf, reservedVariableOf, serviceFault } from '../language/compile-backend.ts';
import type { BackendBody } from './backend-body.ts';
import type { ApiDependencies } from './dependencies.ts';
import { backendsOf } from './guard.ts';
import { ApiError, notFound } from './problem.ts';

export type DeedDependencies = Pick<ApiDependencies, 'backends' | 'intake' | 'clock'>;

/** Image of services that name none, until a run says what its pipeline has. */
const runtime = 'base';

/** What is asked of routes and by messages alike. Whether somebody may ask is decided before. `place` is where the body stands. */
export async function createBackend(api: DeedDependencies, body: BackendBody, place: 'body' | 'message/backend') {
  const backends = backendsOf(api);
  if (!(await api.intake.repositoryNamed(body.repository))) throw notFound();
  refuseServices(body, place);
  const isNew = (await backends.find(body.name)) === undefined;
  const owned = { backend: backendOf(body, runtime), repository: body.repository };
  return { isNew, told: toldBackend(await backends.ensure(owned, body.protected)) };
}

export async function showBackend(api: DeedDependencies, name: string) {
  const { backends, found } = await named(api, name);
  return toldStatus(await backendStatus(backends, found));
}

/** Begins the end of a backend when the grace is over; see `deleteBackend`. */
export async function removeBackend(
  api: DeedDependencies,
  name: string,
  { confirm, graceSeconds }: { readonly confirm: string; readonly graceSeconds: number },
) {
  const { backends, found } = await named(api, name);
  const now = api.clock();
  const deleteAt = now + graceSeconds * 1_000;
  const lost = await deleteBackend(backends, found, { confirm, at: deleteAt, now });
  return { backend: name, deleteAt, lost };
}

/** The backend that was asked for: it was found when that was let in, and may be gone since. */
export async function named(
  api: Pick<ApiDependencies, 'backends'>,
  name: string,
): Promise<{ readonly backends: Backends; readonly found: KnownBackend }> {
  const backends = backendsOf(api);
  return { backends, found: await known(backends, name) };
}

/** What the schema of a file lets pass, and its compiler refuses. */
function refuseServices({ name, services = {} }: BackendBody, place: string): void {
  for (const [service, described] of Object.entries(services)) {
    const at = [place, 'services', service];
    const fault = serviceFault(name, service, described);
    if (fault !== undefined)
      throw refused([...at, ...(fault.field === undefined ? [] : [fault.field])], fault.message, fault.hint);
    const variable = reservedVariableOf(described.env ?? {});
    if (variable === undefined) continue;
    const next = 'It changes how programs start. Set it in the command of the service, where it is needed.';
    throw refused([...at, 'env', variable], `${JSON.stringify(variable)} cannot be set from outside.`, next);
  }
}

function refused(place: readonly string[], detail: string, next: string): ApiError {
  return new ApiError({ status: 400, code: 'invalid', detail, place: place.join('/'), next });
}
