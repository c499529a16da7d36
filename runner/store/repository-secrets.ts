import { SluiceError } from '../model/errors.ts';
import type { Repository } from './intake.ts';
import { secretKeyFile } from './secret-box.ts';
import type { SecretBox } from './secret-box.ts';

export interface RepositorySecrets {
  /** Shared with the forge, which signs deliveries with it. */
  readonly webhook: string;
  /** May read the repository and set statuses; '' for none. */
  readonly token: string;
}

export function sealRepositorySecrets(box: SecretBox, id: string, secrets: RepositorySecrets): string {
  return box.seal(JSON.stringify(secrets), contextOf(id));
}

/** ERR_SEALED when they were sealed for another repository or with another key. */
export function readRepositorySecrets(box: SecretBox, { id, secrets }: Repository): RepositorySecrets {
  // The box has authenticated the text, so these are the bytes that were sealed above.
  return JSON.parse(box.open(secrets, contextOf(id))) as RepositorySecrets;
}

/**
 * ERR_SEALED, with their names, unless the secrets of all can be opened: without them no delivery could be told from a forged one, and no commit be
 * fetched.
 */
export function requireKeyOf(box: SecretBox, repositories: readonly Repository[]): void {
  const names = repositories.filter((repository) => isSealed(box, repository)).map(({ name }) => name);
  if (names.length === 0) return;
  throw new SluiceError(
    'ERR_SEALED',
    `The ${secretKeyFile} of the data folder does not open the secrets of ${names.join(', ')}.`,
    {
      hint: `Put back the ${secretKeyFile} that sealed them; where it is lost, remove these repositories and add them again.`,
    },
  );
}

function isSealed(box: SecretBox, repository: Repository): boolean {
  try {
    readRepositorySecrets(box, repository);
    return false;
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'ERR_SEALED') return true;
    throw error;
  }
}

function contextOf(id: string): string {
  return `repository ${id}`;
}
