import type { OwnedBackend } from '../../model/backend.ts';
import type { RunStep } from '../../model/plan.ts';

/** The environments of backends on this machine, as far as steps are concerned. */
export interface BackendEnvironments {
  /**
   * Brings those of a backend about, or finds them as they should be, and answers the variables that a step finds them by. Rejects with ERR_CONFLICT when
   * they are somebody else's.
   */
  variablesFor(backend: OwnedBackend, step: RunStep, signal: AbortSignal): Promise<Readonly<Record<string, string>>>;
  /** Makes the folder with the program `sluice`, which operations and checks are commands of. */
  readonly programs: () => Promise<string>;
}
