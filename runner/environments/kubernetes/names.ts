import type { EnvironmentName } from '../release.ts';

/** Whoever sets fields of objects in a backend's namespace under this name is Sluice. */
export const fieldManager = 'sluice';

/** Labels of everything in the namespace of a backend. */
export const labels = {
  managedBy: 'app.kubernetes.io/managed-by',
  environment: 'sluice.dev/environment',
  service: 'sluice.dev/service',
  release: 'sluice.dev/release',
  /** `app` or `database`. */
  role: 'sluice.dev/role',
  record: 'sluice.dev/record',
  /** Of Secrets: `external` where the database is outside of the namespace. */
  database: 'sluice.dev/database',
} as const;

export const managed = { [labels.managedBy]: 'sluice' } as const;

/** Of the namespace: the repository that the backend belongs to. */
export const repositoryAnnotation = 'sluice.dev/repository';

/** Of the namespace: the description of the backend, JSON. */
export const backendAnnotation = 'sluice.dev/backend';

/** Of the namespace: `false` where it may be deleted. */
export const protectionAnnotation = 'sluice.dev/protected';

/** Of the namespace: when it is to be deleted, RFC 3339. */
export const deletionAnnotation = 'sluice.dev/delete-at';

/** Of routes: the greatest fence that moved them. */
export const fenceAnnotation = 'sluice.dev/fence';

/** `api`, `test-api` in the testing environment, and `preview-pr-12-api` in a preview: the Service that leads to whatever release is live there. */
export function serviceName(environment: EnvironmentName, service: string): string {
  return `${prefixOf(environment)}${service}`;
}

/** `api-r7`: Deployment of one release of a service, and the Service that leads to it alone. */
export function releaseName(environment: EnvironmentName, service: string, release: string): string {
  return `${prefixOf(environment)}${service}-${release}`;
}

export function databaseName(environment: EnvironmentName): string {
  return `${prefixOf(environment)}db`;
}

/** Secrets of a database: that of the app, of migrations, and of the superuser. */
export const databaseRoles = ['app', 'migrator', 'admin'] as const;

export type DatabaseRole = (typeof databaseRoles)[number];

export function databaseSecret(environment: EnvironmentName, role: DatabaseRole): string {
  return `${databaseName(environment)}-${role}`;
}

/** The volume with the backups of production, and where operations find it. */
export const backupsClaim = 'backups';
export const backupsFolder = '/backups';

function prefixOf(environment: EnvironmentName): string {
  if (environment === 'production') return '';
  return environment === 'testing' ? 'test-' : `${environment}-`;
}
