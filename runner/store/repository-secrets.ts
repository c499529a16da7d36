import type { Repository } from './intake.ts';
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

/** ERR_CORRUPT when they were sealed for another repository or with another key. */
export function readRepositorySecrets(box: SecretBox, { id, secrets }: Repository): RepositorySecrets {
  // The box has authenticated the text, so these are the bytes that were sealed above.
  return JSON.parse(box.open(secrets, contextOf(id))) as RepositorySecrets;
}

function contextOf(id: string): string {
  return `repository ${id}`;
}
