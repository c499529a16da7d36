import type { Environment } from './config/environment.ts';
import type { Site } from './environments/site.ts';
import type { OperationContext } from './gates/operation.ts';
import { SluiceError } from './model/errors.ts';

/** Names Sluice in provenance. */
export const builder = 'https://sluice.dev/runner';

/** Where an operation works. */
export interface OperationPlace {
  readonly site: Site;
  readonly build: OperationContext['build'];
  readonly programs: OperationContext['programs'];
  readonly backups: OperationContext['backups'];
  close(): Promise<void>;
}

/** What a place is opened with. */
export interface OperationSurroundings {
  readonly variables: Environment['variables'];
  /** Of Sluice. */
  readonly version: string;
  /** A line of the step's log. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The value of a variable that every step of a gate has. */
export function needed(variables: Environment['variables'], name: string): string {
  const value = variables[name];
  if (value === undefined) throw new SluiceError('ERR_USAGE', `${name} is not set`);
  return value;
}
