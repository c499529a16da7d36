import type { FastifyRequest } from 'fastify';
import type { Backends } from '../environments/backends.ts';
import { authorize } from './access.ts';
import type { Access, AccessObject, Permission, Subject, Verb } from './access.ts';
import { bearerOf } from './authenticate.ts';
import type { Authenticate } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiError, notFound } from './problem.ts';
import type { RunRow } from '../store/store.ts';

/** Who asks, what for, and the run that it is about. */
export interface Admission {
  readonly subject: Subject;
  readonly run?: RunRow;
}

const nobody: Subject = { name: '', role: 'viewer', repositories: [] };

/** Lets a request in before anything of its body is read. 401 without a good token, 404 and 403 as `authorize` decides. */
export async function admit(
  request: FastifyRequest,
  access: Access,
  authenticate: Authenticate,
  dependencies: ApiDependencies,
): Promise<Admission> {
  if (access === 'public') return { subject: nobody };
  const bearer = bearerOf(request.headers.authorization);
  const subject = bearer === undefined ? undefined : await authenticate(bearer);
  if (!subject) throw unauthenticated(bearer !== undefined);
  const { store, intake } = dependencies;
  const { verb, on } = access;
  const names = { ...(request.query as object), ...(request.params as object) } as Readonly<Record<string, unknown>>;
  switch (on) {
    case 'visible':
    case 'installation':
      require(authorize(subject, verb, { kind: on }));
      return { subject };
    case 'run': {
      const run = await store.run(String(names['runId']));
      permit(subject, verb, run?.repository);
      return { subject, ...(run && { run }) };
    }
    case 'case': {
      const known = await store.knownCase(String(names['caseId']));
      permit(subject, verb, known?.repository);
      return { subject };
    }
    case 'delivery': {
      const delivery = await intake.delivery(String(names['deliveryId']));
      const repository = delivery && (await intake.repository(delivery.repositoryId));
      permit(subject, verb, repository?.name);
      return { subject };
    }
    case 'backend': {
      const backend = await backendsOf(dependencies).find(String(names['backend']));
      permit(subject, verb, backend?.repository);
      return { subject };
    }
    case 'repository':
      // A body is not read yet: first whether such things may be done at all, then, see `permit`, to this repository.
      require(authorize(subject, verb, { kind: 'visible' }));
      if (typeof names['repository'] === 'string') permit(subject, verb, names['repository']);
      return { subject };
  }
}

/** Where backends are deployed. 409 on a server that deploys none. */
export function backendsOf({ backends }: Pick<ApiDependencies, 'backends'>): Backends {
  if (backends !== undefined) return backends;
  throw new ApiError({
    status: 409,
    code: 'no_backends',
    detail: 'This server deploys no backends.',
    next: 'Start it with SLUICE_DOMAIN and what docs/backends.md names beside it.',
  });
}

/** 404 for what is not there and for what the asker may not know, 403 for what it may know and not do. */
export function permit(subject: Subject, verb: Verb, repository: string | undefined): void {
  if (repository === undefined) throw notFound();
  const object: AccessObject = { kind: 'repository', repository };
  require(authorize(subject, verb, object));
}

function require(permission: Permission): void {
  if (permission === 'hidden') throw notFound();
  if (permission === 'forbidden') {
    throw new ApiError({
      status: 403,
      code: 'forbidden',
      detail: 'This token may not do that.',
      next: 'Ask for a token with a higher role, or for all repositories; docs/api.md says which is needed.',
    });
  }
}

function unauthenticated(given: boolean): ApiError {
  return new ApiError({
    status: 401,
    code: 'unauthenticated',
    detail: given ? 'The token is not good: unknown, expired or revoked.' : 'This needs a token.',
    place: 'header/authorization',
    next: 'Send `authorization: Bearer TOKEN`; `sluice token create` makes one.',
  });
}
