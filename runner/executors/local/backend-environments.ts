import type { OwnedBackend } from '../../model/backend.ts';
import type { RunStep } from '../../model/plan.ts';

/** How a step finds the environments of its backend. */
export interface EnvironmentAccess {
  readonly variables: Readonly<Record<string, string>>;
  /** Passwords of their databases, which nobody is to see. */
  readonly secrets: readonly string[];
}

/** The environments of backends on this machine, as far as steps are concerned. */
export interface BackendEnvironments {
  /** Brings those of a backend about, or finds them as they should be. Rejects with ERR_CONFLICT when they are somebody else's. */
  accessFor(
    backend: OwnedBackend,
    step: Pick<RunStep, 'operation' | 'target'>,
    signal: AbortSignal,
  ): Promise<EnvironmentAccess>;
  /** Makes the folder with the program `sluice`, which operations and checks are commands of. */
  readonly programs: () => Promise<string>;
}
