import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { serviceUser } from '../../executors/local/services/service-user.ts';

/** Where PostgreSQL keeps its data. It does not run as root, and its own user gets nowhere near root's folders: then it is a folder of the system. */
export function databaseFolder(folder: string): string {
  if (serviceUser() === undefined) return join(folder, 'postgres');
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  return join('/var/lib/sluice', name);
}
