import type { Draft, OtherObject, Secret, Service } from '../../cluster/objects.ts';
import type { PreviewName } from '../../model/backend.ts';
import type { EnvironmentName } from '../release.ts';
import { confinedContainer, confinedPod } from './confinement.ts';
import { databaseName, databaseRoles, databaseSecret, labels, managed } from './names.ts';
import type { DatabaseRole } from './names.ts';

export const databasePort = 5432;
/** The database that an app finds at the start. */
export const database = 'app';

/** Role names in PostgreSQL. */
const users: Readonly<Record<DatabaseRole, string>> = { app: 'app', migrator: 'migrator', admin: 'postgres' };

/** Who may do what in which database of which server. */
interface Account {
  readonly user: string;
  readonly password: string;
  readonly server: EnvironmentName;
  readonly database: string;
}

/** The credentials of one role: made once, and never changed by Sluice. */
function credentials(
  environment: EnvironmentName,
  role: DatabaseRole,
  { user, password, server, database: name }: Account,
): Draft<Secret> {
  const host = `${databaseName(server)}:${databasePort}`;
  return {
    metadata: { name: databaseSecret(environment, role), labels: { ...managed, [labels.environment]: environment } },
    stringData: { password, DATABASE_URL: `postgres://${user}:${password}@${host}/${name}` },
  };
}

/** Each role has a password of its own. */
export function credentialsOf(environment: EnvironmentName, password: () => string): readonly Draft<Secret>[] {
  return databaseRoles.map((role) =>
    credentials(environment, role, { user: users[role], password: password(), server: environment, database }),
  );
}

/** A preview has a database with roles of its own in the server of the testing environment, whose superuser makes them. */
export function previewCredentials(
  environment: PreviewName,
  superuserPassword: string,
  password: () => string,
): readonly Draft<Secret>[] {
  return databaseRoles.map((role) => {
    const own = { server: 'testing', database: environment } as const;
    const account =
      role === 'admin'
        ? { user: users.admin, password: superuserPassword }
        : { user: previewUser(environment, role), password: password() };
    return credentials(environment, role, { ...own, ...account });
  });
}

export function previewUser(environment: PreviewName, role: Exclude<DatabaseRole, 'admin'>): string {
  return `${environment}_${role}`;
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

export function databaseService(environment: EnvironmentName): Draft<Service> {
  return {
    metadata: { name: databaseName(environment), labels: { ...managed, [labels.environment]: environment } },
    spec: {
      selector: { [labels.environment]: environment, [labels.role]: 'database' },
      ports: [{ name: 'postgres', port: databasePort, targetPort: databasePort }],
    },
  };
}
