import type { BackendService, PreviewName } from '../model/backend.ts';

/** A pair of app and database in the namespace of a backend. */
export type EnvironmentName = 'testing' | 'production' | PreviewName;

/** The record of who has taken an environment. */
export function fenceRecord(environment: EnvironmentName): string {
  return `fence-${environment}`;
}

/**
 * What one run made of one commit: never changed after it was recorded. Testing and production run the same images with the same description
 * of the services, so that what was tested is what serves.
 */
export interface Release {
  /** `r7`: counts up in its backend. */
  readonly name: string;
  readonly run: string;
  readonly commit: string;
  readonly branch: string;
  readonly actor: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** `image` is a reference by digest. */
  readonly services: readonly BackendService[];
}

/** That the tests of a run passed on a release. */
export interface Evidence {
  readonly release: string;
  readonly run: string;
  readonly commit: string;
  /** RFC 3339. */
  readonly passedAt: string;
  /** The tests, to be run again when the schema changes. */
  readonly script: string;
  /** Fingerprints of the schemas on which they passed. */
  readonly schemas: readonly string[];
}
