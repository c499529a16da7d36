import type { Draft, OtherObject, Secret, Service } from '../../cluster/objects.ts';
import { isPreview } from '../../model/backend.ts';
import type { EnvironmentName } from '../release.ts';
import { databaseNameOf, roleNameOf } from '../database-names.ts';
import { confinedContainer, confinedPod } from './confinement.ts';
import { outside } from './external-servers.ts';
import { backupsClaim, databaseName, databaseRoles, databaseSecret, labels, managed } from './names.ts';
import type { DatabaseRole } from './names.ts';

export const databasePort = 5432;
/** The database that an app finds at the start. */
export const database = 'app';

/** Role names in PostgreSQL. */
const users: Readonly<Record<DatabaseRole, string>> = { app: 'app', migrator: 'migrator', admin: 'postgres' };

/** The credentials of one role, as a Secret of the namespace. */
export interface Credentials {
  readonly name: string;
  /** Where it is somebody else's, and not made here. */
  readonly password?: string;
  readonly secretWith: (password: string) => Draft<Secret>;
}

/** Whose credentials, and where the database is: in the namespace, or outside on `server`. */
export interface DatabasePlace {
  readonly backend: string;
  readonly environment: EnvironmentName;
  readonly server?: URL | undefined;
}

/** One for each role of the database of an environment. `superuser` is the password of one that is there already. */
export function credentialsOf(place: DatabasePlace, superuser?: string): readonly Credentials[] {
  const { environment, server } = place;
  const known = server === undefined ? superuser : decodeURIComponent(server.password);
  return databaseRoles.map((role) => {
    const name = databaseSecret(environment, role);
    const own = { ...managed, [labels.environment]: environment };
    return {
      name,
      ...(role === 'admin' && known !== undefined && { password: known }),
      secretWith: (password) => ({
        metadata: { name, labels: { ...own, ...(server && { [labels.database]: outside }) } },
        stringData: { password, ...variablesOf(addressOf(place, role, password)) },
      }),
    };
  });
}

/** `DATABASE_SERVER/NAME DATABASE_PARAMETERS` is another database of the same server, for the same account. */
function variablesOf(address: URL): Readonly<Record<string, string>> {
  const { protocol, username, password, host, search, href } = address;
  return {
    DATABASE_URL: href,
    DATABASE_SERVER: `${protocol}//${username}:${password}@${host}`,
    DATABASE_PARAMETERS: search,
  };
}

function addressOf(place: DatabasePlace, role: DatabaseRole, password: string): URL {
  const { backend, environment, server } = place;
  if (server === undefined) return ownAddress(environment, role, password);
  const name = databaseNameOf(backend, environment);
  const address = new URL(server);
  address.pathname = `/${name}`;
  if (role === 'admin') return address;
  address.username = roleNameOf(name, role);
  address.password = password;
  return address;
}

/** The database of a preview is one more in the server of the testing environment. Passwords of ours need no encoding. */
function ownAddress(environment: EnvironmentName, role: DatabaseRole, password: string): URL {
  const host = databaseName(isPreview(environment) ? 'testing' : environment);
  const name = isPreview(environment) ? environment : database;
  return new URL(`postgres://${userOf(environment, role)}:${password}@${host}:${databasePort}/${name}`);
}

/** A preview has roles of its own; the superuser is that of the server. */
export function userOf(environment: EnvironmentName, role: DatabaseRole): string {
  return isPreview(environment) && role !== 'admin' ? `${environment}_${role}` : users[role];
}

/** The pod of a database with its volume. The image takes the variables of the official one. */
export function databaseSet(environment: EnvironmentName, image: string): Draft<OtherObject> {
  const name = databaseName(environment);
  const own = { ...managed, [labels.environment]: environment, [labels.role]: 'database' };
  const ready = { exec: { command: ['pg_isready', '-q', '-h', '127.0.0.1', '-U', users.admin] } };
  return {
    metadata: { name, labels: own },
    spec: {
      serviceName: name,
      replicas: 1,
      selector: { matchLabels: { [labels.environment]: environment, [labels.role]: 'database' } },
      template: {
        metadata: { labels: own },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 60,
          securityContext: { ...confinedPod, fsGroupChangePolicy: 'OnRootMismatch' },
          containers: [
            {
              name: 'postgres',
              image,
              env: [
                { name: 'POSTGRES_USER', value: users.admin },
                { name: 'POSTGRES_DB', value: database },
                { name: 'PGDATA', value: '/data/postgres' },
                {
                  name: 'POSTGRES_PASSWORD',
                  valueFrom: { secretKeyRef: { name: databaseSecret(environment, 'admin'), key: 'password' } },
                },
              ],
              ports: [{ name: 'postgres', containerPort: databasePort }],
              resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
              readinessProbe: { ...ready, periodSeconds: 2, timeoutSeconds: 5 },
              securityContext: confinedContainer,
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data', labels: own },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  };
}

/** Beside the volume of the database, so that what takes that away does not take its backups along. */
export const backupsVolume: Draft<OtherObject> = {
  metadata: { name: backupsClaim, labels: { ...managed, [labels.environment]: 'production' } },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } } },
};

export function databaseService(environment: EnvironmentName): Draft<Service> {
  return {
    metadata: { name: databaseName(environment), labels: { ...managed, [labels.environment]: environment } },
    spec: {
      selector: { [labels.environment]: environment, [labels.role]: 'database' },
      ports: [{ name: 'postgres', port: databasePort, targetPort: databasePort }],
    },
  };
}
