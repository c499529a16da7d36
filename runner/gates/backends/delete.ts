import { refuseProtected } from '../../environments/backends.ts';
import type { Backends, KnownBackend, RunningEnvironment } from '../../environments/backends.ts';
import { SluiceError } from '../../model/errors.ts';
import { backendStatus } from './status.ts';

/** What there is no more once a backend is deleted. Images stay in their registry, runs and their results in the store. */
export interface Loss {
  /** Environments whose databases go, with all their data. */
  readonly databases: readonly string[];
  /** Environments whose databases are elsewhere, and stay there with all their data. */
  readonly kept: readonly string[];
  readonly releases: readonly { readonly environment: string; readonly release: string }[];
  /** Addresses that nobody answers at any more. */
  readonly urls: readonly string[];
}

export interface Deletion {
  /** The name of the backend, said once more. */
  readonly confirm: string;
  /** When it is to begin, ms since 1970. */
  readonly at: number;
  readonly now: number;
}

/**
 * Deletes a backend, now or later, and answers what goes with it. ERR_CONFLICT while it is protected, ERR_USAGE unless its name was repeated; both say what would
 * be lost.
 */
export async function deleteBackend(
  backends: Backends,
  known: KnownBackend,
  { confirm, at, now }: Deletion,
): Promise<Loss> {
  const { name } = known.backend;
  refuseProtected(known);
  const loss = await lossOf(backends, known);
  if (confirm !== name) {
    throw new SluiceError('ERR_USAGE', `"${name}" is not deleted: its name was not repeated. ${sentenceOf(loss)}`, {
      hint: `Confirm with the name "${name}".`,
    });
  }
  if (at > now) await backends.markForDeletion(name, at);
  else await backends.remove(name);
  return loss;
}

async function lossOf(backends: Backends, known: KnownBackend): Promise<Loss> {
  const { environments } = await backendStatus(backends, known);
  return {
    databases: environments.filter(({ database }) => isOurs(database)).map(({ environment }) => environment),
    kept: environments.filter(({ database }) => database === 'outside').map(({ environment }) => environment),
    releases: environments.flatMap(({ environment, releases }) =>
      releases.map(({ release }) => ({ environment, release })),
    ),
    urls: environments.filter(({ routed }) => routed !== undefined).map(({ url }) => url),
  };
}

function isOurs(database: RunningEnvironment['database']): boolean {
  return database !== undefined && database !== 'outside';
}

/** In words, for who has to decide. */
export function sentenceOf({ databases, kept, releases }: Loss): string {
  const lost = [
    ...databases.map((environment) => `the ${environment} database`),
    // Their volume is in the namespace, wherever the database is.
    ...(kept.includes('production') ? ['the backups of the production database'] : []),
    ...releases.map(({ environment, release }) => `${release} in ${environment}`),
  ];
  const going = lost.length === 0 ? 'Nothing goes with it.' : `With it goes ${lost.join(', ')}.`;
  if (kept.length === 0) return going;
  const stays = `The databases outside of its namespace (${kept.join(', ')}) stay where they are, with their roles.`;
  return `${going} ${stays}`;
}
