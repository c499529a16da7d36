import { trialOf } from '../model/backend.ts';
import type { Backend } from '../model/backend.ts';
import type { GateAccount } from '../model/operations.ts';
import type { EnvironmentName } from './release.ts';

/** What an operation wants. */
interface Wish {
  readonly account: GateAccount;
  readonly database?: 'testing' | 'production' | undefined;
}

/**
 * The environment whose database an operation gets. In a run of a preview those that promote get none: of production it sees what the gate `migrate` copies of
 * the schema.
 */
export function environmentFor(
  backend: Pick<Backend, 'preview'>,
  { account, database }: Wish,
): EnvironmentName | undefined {
  if (database === 'testing') return trialOf(backend);
  return backend.preview !== undefined && account === 'promote' ? undefined : database;
}
