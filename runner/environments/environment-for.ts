import { trialOf } from '../model/backend.ts';
import type { Backend } from '../model/backend.ts';
import type { EnvironmentName } from './release.ts';

/** The environment whose database an operation gets. A run of a preview gets nothing of production, whatever its steps are. */
export function environmentFor(
  backend: Pick<Backend, 'preview'>,
  database: 'testing' | 'production',
): EnvironmentName | undefined {
  if (database === 'testing') return trialOf(backend);
  return backend.preview === undefined ? 'production' : undefined;
}
