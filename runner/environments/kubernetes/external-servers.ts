import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { find } from '../../cluster/find.ts';
import type { Secret } from '../../cluster/objects.ts';
import { secrets } from '../../cluster/resources.ts';
import type { Backend } from '../../model/backend.ts';
import { SluiceError } from '../../model/errors.ts';
import { databaseSecret, labels } from './names.ts';
import type { BackendPlace } from './place.ts';
import { readServerAddress } from './server-address.ts';

/** Addresses of PostgreSQL servers outside of the namespace, with an account that may make roles and databases. */
export type ExternalServers = Readonly<Record<'testing' | 'production', URL>>;

/** Of a Secret: the database that it opens is outside. */
export const outside = 'external';

/**
 * Where the operator says that the databases of a backend are, in the Secret `sluice-database-BACKEND` beside the runner; undefined for those of its namespace. No
 * pod of the backend sees it. ERR_USAGE for one that is not whole, which never tells a value.
 */
export async function externalServers(
  cluster: ClusterClient,
  { namespace = cluster.namespace }: Pick<BackendPlace, 'namespace'>,
  { name: backend, database }: Backend,
): Promise<ExternalServers | undefined> {
  if (database === undefined) return undefined;
  const name = `sluice-database-${backend}`;
  const found = await find(cluster, secrets, { namespace, name });
  if (found === undefined) return undefined;
  const place = `the Secret ${name} in ${namespace}`;
  return { testing: addressIn(found, 'testing', place), production: addressIn(found, 'production', place) };
}

function addressIn({ data = {} }: Secret, key: keyof ExternalServers, place: string): URL {
  const text = Buffer.from(data[key] ?? '', 'base64').toString();
  const read = readServerAddress(text);
  if (read instanceof URL) return read;
  throw new SluiceError('ERR_USAGE', `\`${key}\` of ${place} ${read.fault}`, {
    hint: `Give the account that makes roles and databases there: postgres://admin:PASSWORD@db.example:5432/?sslmode=require`,
  });
}

/**
 * ERR_CONFLICT for a backend whose databases would be others all at once, because the Secret came or went, and for a preview: its database would have to be in a
 * server that is not ours.
 */
export async function refuseMove(
  cluster: ClusterClient,
  { name, preview }: Backend,
  servers: ExternalServers | undefined,
): Promise<void> {
  if (servers !== undefined && preview !== undefined) {
    throw new SluiceError(
      'ERR_CONFLICT',
      `the databases of "${name}" are outside of its namespace: it has no previews`,
      {
        hint: 'Take `previews` out of the backend.',
      },
    );
  }
  const known = await find(cluster, secrets, { namespace: name, name: databaseSecret('production', 'admin') });
  if (known === undefined) return;
  const wasOutside = known.metadata.labels?.[labels.database] === outside;
  if (wasOutside === (servers !== undefined)) return;
  const [was, fact] = wasOutside
    ? ['outside of its namespace', `there is no Secret sluice-database-${name} any more`]
    : ['in its namespace', `the Secret sluice-database-${name} says that they are outside`];
  throw new SluiceError('ERR_CONFLICT', `the databases of "${name}" are ${was}, and ${fact}`, {
    hint: 'docs/backends.md says how databases are moved ("A database of your own").',
  });
}
