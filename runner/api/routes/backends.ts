import { Type } from 'typebox';
import { known } from '../../environments/backends.ts';
import type { Backends, KnownBackend } from '../../environments/backends.ts';
import { deleteBackend } from '../../gates/backends/delete.ts';
import { driftOfBackend, reconcileBackend } from '../../gates/backends/reconcile.ts';
import { rollBackProduction } from '../../gates/backends/roll-back.ts';
import { backendStatus } from '../../gates/backends/status.ts';
import { toldBackend, toldStatus } from '../../gates/backends/tell.ts';
import { backendOf, serviceFault } from '../../language/compile-backend.ts';
import { authorize } from '../access.ts';
import { backendBody } from '../backend-body.ts';
import type { BackendBody } from '../backend-body.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { backendsOf } from '../guard.ts';
import { pageOf, pageQuery, pageSchema, positionOf } from '../pages.ts';
import { ApiError, notFound } from '../problem.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { ref } from '../schemas.ts';

const closed = { additionalProperties: false };
const params = Type.Object(
  { backend: Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$', description: 'Its name.' }) },
  closed,
);
const driftAnswer = Type.Object({ drift: Type.Array(ref('drift')) }, closed);
/** Image of services that name none, until a run says what its pipeline has. */
const runtime = 'base';

export function backendRoutes(api: ApiDependencies): readonly Route[] {
  return [
    createBackend(api),
    listBackends(api),
    getBackend(api),
    ...driftRoutes(api),
    rollBack(api),
    protect(api),
    removeBackend(api),
  ];
}

/** The backend that the address names: the guard has found it, and it may be gone since. */
async function named(api: ApiDependencies, name: string): Promise<{ backends: Backends; found: KnownBackend }> {
  const backends = backendsOf(api);
  return { backends, found: await known(backends, name) };
}

function createBackend(api: ApiDependencies): Route {
  return route({
    method: 'POST',
    path: '/v1/backends',
    id: 'create-backend',
    summary: 'Make a backend, or bring one to what it should be',
    description:
      'Services and database as in `backend:` of the pipeline file. The repository is one that the server knows; nobody else can deploy there from then on. What runs there is for its runs to say.',
    tag: 'backends',
    access: { verb: 'create-backend', on: 'repository' },
    body: backendBody,
    answers: {
      200: { description: 'It was there, and is as described now.', schema: ref('backend') },
      201: { description: 'It is made; its databases start.', schema: ref('backend') },
    },
    handle: async ({ body, reply }) => {
      const backends = backendsOf(api);
      if (!(await api.intake.repositoryNamed(body.repository))) throw notFound();
      refuseServices(body);
      const isThere = (await backends.find(body.name)) !== undefined;
      const owned = { backend: backendOf(body, runtime), repository: body.repository };
      const made = await backends.ensure(owned, body.protected);
      reply.code(isThere ? 200 : 201).header('location', `/v1/backends/${made.backend.name}`);
      return toldBackend(made);
    },
  });
}

function refuseServices({ name, services = {} }: BackendBody): void {
  for (const [service, described] of Object.entries(services)) {
    const fault = serviceFault(name, service, described);
    if (fault === undefined) continue;
    const place = ['body/services', service, ...(fault.field === undefined ? [] : [fault.field])].join('/');
    throw new ApiError({ status: 400, code: 'invalid', detail: fault.message, place, next: fault.hint });
  }
}

function listBackends(api: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/backends',
    id: 'list-backends',
    summary: 'List backends by name',
    tag: 'backends',
    access: { verb: 'read-backends', on: 'visible' },
    query: Type.Object(pageQuery, closed),
    answers: {
      200: {
        description: 'One page of the backends that the asker may see.',
        schema: pageSchema('backends', ref('backend')),
      },
    },
    handle: async ({ query: { limit = 50, cursor }, subject }) => {
      const after = positionOf(cursor) ?? '';
      const shown = (await backendsOf(api).list()).filter(
        ({ backend: { name }, repository }) =>
          name > after && authorize(subject, 'read-backends', { kind: 'repository', repository }) === 'allowed',
      );
      return pageOf('backends', shown.map(toldBackend), limit, ({ name }) => name);
    },
  });
}

function getBackend(api: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/backends/{backend}',
    id: 'get-backend',
    summary: 'What runs of a backend, where and how, and its last promotion',
    tag: 'backends',
    access: { verb: 'read-backends', on: 'backend' },
    params,
    answers: { 200: { description: 'As of now.', schema: ref('backendStatus') } },
    handle: async ({ params: { backend } }) => {
      const { backends, found } = await named(api, backend);
      return toldStatus(await backendStatus(backends, found));
    },
  });
}

function driftRoutes(api: ApiDependencies): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/backends/{backend}/drift',
      id: 'get-drift',
      summary: 'What of a backend is not as Sluice made it, and who changed it',
      description: 'By dry runs: nothing is changed. What others added beside is no drift.',
      tag: 'backends',
      access: { verb: 'read-backends', on: 'backend' },
      params,
      answers: {
        200: { description: 'Fields with the manager that set them, and missing objects.', schema: driftAnswer },
      },
      handle: async ({ params: { backend } }) => {
        const { backends, found } = await named(api, backend);
        return { drift: await driftOfBackend(backends, found) };
      },
    }),
    route({
      method: 'POST',
      path: '/v1/backends/{backend}/reconciliation',
      id: 'reconcile-backend',
      summary: 'Put right what drifted',
      tag: 'backends',
      access: { verb: 'reconcile-backend', on: 'backend' },
      params,
      answers: { 200: { description: 'What was put right.', schema: driftAnswer } },
      handle: async ({ params: { backend } }) => {
        const { backends, found } = await named(api, backend);
        return { drift: await reconcileBackend(backends, found) };
      },
    }),
  ];
}

function rollBack(api: ApiDependencies): Route {
  return route({
    method: 'POST',
    path: '/v1/backends/{backend}/rollback',
    id: 'roll-back-production',
    summary: 'Take the live release back to the one before it',
    description:
      'Only where the tests of that one passed on the present schema. The commit is held: only a newer one is promoted. Answers when production does, within minutes.',
    tag: 'backends',
    access: { verb: 'roll-back', on: 'backend' },
    params,
    body: Type.Object({ reason: Type.String({ maxLength: 500, default: '' }) }, closed),
    answers: { 200: { description: 'The record of production.', schema: ref('production') } },
    handle: async ({ params: { backend }, body: { reason }, subject }) => {
      const { backends, found } = await named(api, backend);
      const site = await backends.site(found.backend);
      const { clock, logger } = api;
      const say = (line: string): void => logger.info('rollback', { backend, line });
      const context = { site, say, clock, signal: new AbortController().signal };
      return rollBackProduction(context, { by: subject.name, reason });
    },
  });
}

function protect(api: ApiDependencies): Route {
  return route({
    method: 'POST',
    path: '/v1/backends/{backend}/protection',
    id: 'protect-backend',
    summary: 'Protect a backend from being deleted, or lift that',
    description: 'To protect it calls a deletion off that has not begun.',
    tag: 'backends',
    access: { verb: 'protect-backend', on: 'backend' },
    params,
    body: Type.Object({ protected: Type.Boolean() }, closed),
    answers: { 200: { description: 'The backend as it is now.', schema: ref('backend') } },
    handle: async ({ params: { backend }, body }) => {
      const { backends } = await named(api, backend);
      return toldBackend(await backends.protect(backend, body.protected));
    },
  });
}

function removeBackend(api: ApiDependencies): Route {
  return route({
    method: 'DELETE',
    path: '/v1/backends/{backend}',
    id: 'delete-backend',
    summary: 'Delete a backend with its databases',
    description:
      'Refused while it is protected. Until the grace is over, protecting it calls that off; then the namespace goes, and is gone when the backend is not found any more.',
    tag: 'backends',
    access: { verb: 'delete-backend', on: 'backend' },
    params,
    query: Type.Object(
      {
        confirm: Type.String({ maxLength: 63, default: '', description: 'The name of the backend once more.' }),
        graceSeconds: Type.Integer({ minimum: 0, maximum: 2_592_000, default: 600 }),
      },
      closed,
    ),
    answers: {
      202: {
        description: 'When it begins, and what there is no more then.',
        schema: Type.Object({ backend: Type.String(), deleteAt: ref('time'), lost: ref('loss') }, closed),
      },
    },
    handle: async ({ params: { backend }, query: { confirm, graceSeconds }, reply }) => {
      const { backends, found } = await named(api, backend);
      const now = api.clock();
      const deleteAt = now + graceSeconds * 1_000;
      const lost = await deleteBackend(backends, found, { confirm, at: deleteAt, now });
      reply.code(202);
      return { backend, deleteAt, lost };
    },
  });
}
