import type { EnvironmentName } from './release.ts';

/** What stands in front of the host of a backend for an environment of it. */
export function prefixOfHost(environment: EnvironmentName): string {
  if (environment === 'production') return '';
  return environment === 'testing' ? 'test.' : `${environment}.`;
}
