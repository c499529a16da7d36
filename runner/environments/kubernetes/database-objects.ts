import type { Draft, OtherObject, Secret, Service } from '../../cluster/objects.ts';
import type { EnvironmentName } from '../release.ts';
import { confinedContainer, confinedPod } from './confinement.ts';
import { backupsClaim, databaseName, databaseRoles, databaseSecret, labels, managed } from './names.ts';
import type { DatabaseRole } from './names.ts';

export const databasePort = 5432;
/** The database that an app finds at the start. */
const database = 'app';

/** Role names in PostgreSQL. */
const users: Readonly<Record<DatabaseRole, string>> = { app: 'app', migrator: 'migrator', admin: 'postgres' };

/** The credentials of one role: made once, with a password of its own, and never changed by Sluice. */
function credentials(environment: EnvironmentName, role: DatabaseRole, password: string): Draft<Secret> {
  return {
    metadata: { name: databaseSecret(environment, role), labels: { ...managed, [labels.environment]: environment } },
    stringData: { password, DATABASE_URL: databaseUrl(environment, role, password, database) },
  };
}

/** Passwords of ours need no encoding. */
export function databaseUrl(environment: EnvironmentName, role: DatabaseRole, password: string, name: string): string {
  return `postgres://${users[role]}:${password}@${databaseName(environment)}:${databasePort}/${name}`;
}

export function credentialsOf(environment: EnvironmentName, password: () => string): readonly Draft<Secret>[] {
  return databaseRoles.map((role) => credentials(environment, role, password()));
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
