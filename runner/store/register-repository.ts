import { randomBytes, randomUUID } from 'node:crypto';
import { SluiceError } from '../model/errors.ts';
import type { Intake, Repository } from './intake.ts';
import { sealRepositorySecrets } from './repository-secrets.ts';
import type { SecretBox } from './secret-box.ts';

export const repositoryName = /^[\w.-]+(\/[\w.-]+)*$/;

export interface RepositoryWish extends Pick<Repository, 'name' | 'forge' | 'cloneUrl' | 'file' | 'forks'> {
  /** Secret that the forge signs with; made up when absent. */
  readonly secret?: string;
  /** May read the repository and set statuses; '' for none. */
  readonly token: string;
}

export interface RegisteredRepository {
  readonly repository: Repository;
  /** Secret of its webhook; kept sealed only, so that this is the one chance to tell it. */
  readonly secret: string;
}

/** Makes a repository known under a name, at the time `at`. ERR_USAGE for a name that is none, ERR_CONFLICT for one that is taken. */
export async function registerRepository(
  intake: Pick<Intake, 'addRepository'>,
  box: SecretBox,
  { secret = randomBytes(24).toString('base64url'), token, ...wish }: RepositoryWish,
  at: number,
): Promise<RegisteredRepository> {
  if (!repositoryName.test(wish.name))
    throw new SluiceError('ERR_USAGE', `${JSON.stringify(wish.name)} is no name of a repository`, {
      hint: 'Use letters, digits, dots, dashes and slashes, such as shop/orders.',
    });
  const id = randomUUID();
  const secrets = sealRepositorySecrets(box, id, { webhook: secret, token });
  const repository: Repository = { ...wish, id, forgeId: '', secrets, createdAt: at };
  await intake.addRepository(repository);
  return { repository, secret };
}

/** Where the forge sends what happens in the repository; behind the address of the server. */
export function hookPath({ id }: Pick<Repository, 'id'>): string {
  return `/hooks/${id}`;
}
