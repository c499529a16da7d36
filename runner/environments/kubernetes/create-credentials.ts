import { randomBytes } from 'node:crypto';
import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Draft, Secret } from '../../cluster/objects.ts';
import { secrets } from '../../cluster/resources.ts';
import type { Credentials } from './database-objects.ts';

/** A password is made once: whoever comes second finds that of the first. What else the Secret says is brought to what it should be. Answers the passwords. */
export function ensureSecrets(
  cluster: ClusterClient,
  namespace: string,
  wanted: readonly Credentials[],
): Promise<readonly string[]> {
  return Promise.all(
    wanted.map(async ({ name, password: given, secretWith }) => {
      const at = { namespace, name };
      const made = (): Draft<Secret> => secretWith(given ?? randomBytes(24).toString('hex'));
      const { data = {}, metadata } =
        (await find(cluster, secrets, at)) ?? (await createSecret(cluster, namespace, made()));
      const password = given ?? decoded(data['password']);
      const body = secretWith(password);
      const isRight =
        isWithin(body.stringData, (key) => decoded(data[key])) &&
        isWithin(body.metadata.labels, (key) => metadata.labels?.[key]);
      if (!isRight) {
        await cluster.patch(secrets, at, {
          metadata: { labels: body.metadata.labels ?? {} },
          stringData: body.stringData ?? {},
        });
      }
      return password;
    }),
  );
}

function isWithin(
  wanted: Readonly<Record<string, string>> = {},
  valueOf: (key: string) => string | undefined,
): boolean {
  return Object.entries(wanted).every(([key, value]) => valueOf(key) === value);
}

function decoded(base64 = ''): string {
  return Buffer.from(base64, 'base64').toString();
}

async function createSecret(cluster: ClusterClient, namespace: string, body: Draft<Secret>): Promise<Secret> {
  try {
    return await cluster.create(secrets, { namespace }, body);
  } catch (error) {
    if (failedWith(error, 'AlreadyExists')) return cluster.get(secrets, { namespace, name: body.metadata.name });
    throw error;
  }
}
