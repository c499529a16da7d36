import { Type } from 'typebox';
import type { Repository } from '../../store/intake.ts';
import { hookPath, repositoryName } from '../../store/register-repository.ts';
import { authorize } from '../access.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { pageOf, pageQuery, pageSchema, positionOf } from '../pages.ts';
import { notFound } from '../problem.ts';
import { route } from '../route.ts';
import type { Route } from '../route.ts';
import { name, ref } from '../schemas.ts';

const closed = { additionalProperties: false };
const params = Type.Object(
  { repository: Type.String({ minLength: 1, maxLength: 200, description: 'Its name, percent-encoded.' }) },
  closed,
);
const forge = Type.Enum(['github', 'gitlab', 'gitea', 'bitbucket', 'git']);
const forks = Type.Enum(['ignore', 'approve', 'run']);
const manage = { verb: 'manage-repositories', on: 'installation' } as const;

const repositorySchema = Type.Object(
  {
    name: Type.String(),
    forge,
    url: Type.String({ description: 'Where commits are fetched from, without what may be secret in it.' }),
    file: Type.String(),
    forks,
    hook: Type.String({ description: 'Path of its webhook.' }),
    createdAt: ref('time'),
  },
  closed,
);

export function repositoryRoutes(api: ApiDependencies): readonly Route[] {
  return [listRepositories(api), getRepository(api), addRepository(api), removeRepository(api)];
}

function listRepositories({ intake }: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/repositories',
    id: 'list-repositories',
    summary: 'List repositories by name; never their secrets',
    tag: 'repositories',
    access: { verb: 'read-repositories', on: 'visible' },
    query: Type.Object(pageQuery, closed),
    answers: {
      200: {
        description: 'One page of the repositories that the asker may see.',
        schema: pageSchema('repositories', repositorySchema),
      },
    },
    handle: async ({ query: { limit = 50, cursor }, subject }) => {
      const after = positionOf(cursor) ?? '';
      const shown = (await intake.repositories()).filter(
        (one) =>
          one.name > after &&
          authorize(subject, 'read-repositories', { kind: 'repository', repository: one.name }) === 'allowed',
      );
      return pageOf('repositories', shown.map(toldRepository), limit, (last) => last.name);
    },
  });
}

function getRepository({ intake }: ApiDependencies): Route {
  return route({
    method: 'GET',
    path: '/v1/repositories/{repository}',
    id: 'get-repository',
    summary: 'A repository; never its secrets',
    tag: 'repositories',
    access: { verb: 'read-repositories', on: 'repository' },
    params,
    answers: { 200: { description: 'The repository.', schema: repositorySchema } },
    handle: async ({ params: { repository } }) => toldRepository(await named(intake, repository)),
  });
}

function addRepository({ register }: ApiDependencies): Route {
  return route({
    method: 'POST',
    path: '/v1/repositories',
    id: 'add-repository',
    summary: 'Make a repository known',
    description: 'Add a webhook with the path and the secret of the answer at the forge.',
    tag: 'repositories',
    access: manage,
    secret: true,
    body: Type.Object(
      {
        name: Type.String({ pattern: repositoryName.source, maxLength: 200 }),
        forge,
        url: Type.String({
          // Folders and other transports are for whoever sits at the server; credentials are sent as `token`.
          pattern: String.raw`^(https?://[^@/?#\s]+|ssh://([^@:/?#\s]+@)?[^@/?#\s]+)/[^\s?#]+$`,
          maxLength: 2_000,
          description: 'Where commits are fetched from: https, http or ssh, without a password.',
        }),
        file: Type.String({ minLength: 1, maxLength: 500, default: 'sluice.yaml' }),
        forks: Type.Enum(['ignore', 'approve', 'run'], {
          default: 'ignore',
          description: 'What pull requests from forks start.',
        }),
        token: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 4_096,
            description: 'May read the repository and set commit statuses.',
          }),
        ),
      },
      closed,
    ),
    answers: {
      201: {
        description: 'The repository with the secret of its webhook, which is never told again.',
        schema: Type.Object({ repository: repositorySchema, secret: name }, closed),
      },
    },
    handle: async ({ body: { url, token = '', ...wish }, reply }) => {
      const { repository, secret } = await register({ ...wish, cloneUrl: url, token });
      reply.code(201).header('location', `/v1/repositories/${encodeURIComponent(repository.name)}`);
      return { repository: toldRepository(repository), secret };
    },
  });
}

function removeRepository({ intake }: ApiDependencies): Route {
  return route({
    method: 'DELETE',
    path: '/v1/repositories/{repository}',
    id: 'remove-repository',
    summary: 'Forget a repository; its runs are kept',
    tag: 'repositories',
    access: manage,
    params,
    answers: { 200: { description: 'The repository that was.', schema: repositorySchema } },
    handle: async ({ params: { repository } }) => {
      const found = await named(intake, repository);
      await intake.removeRepository(found.id);
      return toldRepository(found);
    },
  });
}

async function named(intake: ApiDependencies['intake'], wanted: string): Promise<Repository> {
  const found = await intake.repositoryNamed(wanted);
  if (found) return found;
  throw notFound();
}

function toldRepository(repository: Repository) {
  const { name: called, forge: kind, cloneUrl, file, forks: ofForks, createdAt } = repository;
  const hook = hookPath(repository);
  return { name: called, forge: kind, url: withoutCredentials(cloneUrl), file, forks: ofForks, hook, createdAt };
}

function withoutCredentials(address: string): string {
  const url = URL.parse(address);
  if (!url || (url.username === '' && url.password === '' && url.search === '')) return address;
  if (url.protocol !== 'ssh:') url.username = '';
  url.password = '';
  url.search = '';
  return url.href;
}
