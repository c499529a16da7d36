import { createHash } from 'node:crypto';
import type { EnvironmentName } from './release.ts';

/** Of what may grow in a name: the backend, and all of it. */
const longestBackend = 40;
const longestName = 54;
const checksumLetters = 12;

/**
 * `tasks_testing`: the database of an environment on a server that may have those of several backends. A name of PostgreSQL has 63 bytes, and that of a role has a
 * suffix: long ones are cut, and told apart by a checksum.
 */
export function databaseNameOf(backend: string, environment: EnvironmentName): string {
  return shortened(`${shortened(backend, longestBackend)}_${environment}`, longestName);
}

/** `tasks_testing_app`: a role of that database, on the same server. */
export function roleNameOf(database: string, role: 'migrator' | 'app'): string {
  return `${database}_${role}`;
}

function shortened(name: string, longest: number): string {
  if (name.length <= longest) return name;
  const checksum = createHash('sha256').update(name).digest('hex').slice(0, checksumLetters);
  return `${name.slice(0, longest - checksumLetters - 1)}_${checksum}`;
}
