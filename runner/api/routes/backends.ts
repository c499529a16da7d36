import { Type } from 'typebox';
import { deletePreview } from '../../gates/backends/delete-preview.ts';
import { driftOfBackend, reconcileBackend } from '../../gates/backends/reconcile.ts';
import { rollBackProduction } from '../../gates/backends/roll-back.ts';
import { toldBackend } from '../../gates/backends/tell.ts';
import { authorize } from '../access.ts';
import { backendBody, backendName, deletionWish } from '../backend-body.ts';
import { createBackend, named, removeBackend, showBackend } from '../backend-deeds.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { backendsOf } from '../guard.ts';
import { pageOf, pageQuery, pageSchema, positionOf } from '../pages.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { ref } from '../schemas.ts';

const closed = { additionalProperties: false };
const params = Type.Object({ backend: backendName }, closed);
const driftAnswer = Type.Object({ drift: Type.Array(ref('drift')) }, closed);

export function backendRoutes(api: ApiDependencies): readonly Route[] {
  return [
    create(api),
    list(api),
    show(api),
    ...driftRoutes(api),
    rollBack(api),
    protect(api),
    remove(api),
    removePreview(api),
  ];
}

function create(api: ApiDependencies): Route {
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
      const { isNew, told } = await createBackend(api, body, 'body');
      reply.code(isNew ? 201 : 200).header('location', `/v1/backends/${told.name}`);
      return told;
    },
  });
}

function list(api: ApiDependencies): Route {
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

function show(api: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/backends/{backend}',
    id: 'get-backend',
    summary: 'What runs of a backend, where and how, and its last promotion',
    tag: 'backends',
    access: { verb: 'read-backends', on: 'backend' },
    params,
    answers: { 200: { description: 'As of now.', schema: ref('backendStatus') } },
    handle: ({ params: { backend } }) => showBackend(api, backend),
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

function remove(api: ApiDependencies): Route {
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
        ...deletionWish,
      },
      closed,
    ),
    answers: {
      202: {
        description: 'When it begins, and what there is no more then.',
        schema: Type.Object({ backend: Type.String(), deleteAt: ref('time'), lost: ref('loss') }, closed),
      },
    },
    handle: async ({ params: { backend }, query, reply }) => {
      const deletion = await removeBackend(api, backend, query);
      reply.code(202);
      return deletion;
    },
  });
}

function removePreview(api: ApiDependencies): Route {
  return route({
    method: 'DELETE',
    path: '/v1/backends/{backend}/previews/{preview}',
    id: 'delete-preview',
    summary: 'Remove a preview before its time',
    description:
      'Its app, its address and its database go; the next run of its branch or pull request makes it anew. Refused while a run is under way in it. Answers when it is gone, within a minute or two.',
    tag: 'backends',
    access: { verb: 'delete-preview', on: 'backend' },
    params: Type.Object(
      {
        ...params.properties,
        preview: Type.String({ pattern: '^preview-[a-z0-9-]{1,50}$', description: 'Its name.' }),
      },
      closed,
    ),
    answers: {
      200: {
        description: 'It is gone.',
        schema: Type.Object({ backend: Type.String(), preview: Type.String() }, closed),
      },
    },
    handle: async ({ params: { backend, preview } }) => {
      const { backends, found } = await named(api, backend);
      await deletePreview(backends, found, preview, (filter) => api.store.runs(filter));
      return { backend, preview };
    },
  });
}
