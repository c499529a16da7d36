import type { BackendNamespaces, StepAccess } from '../../executors/kubernetes/backend-namespaces.ts';
import type { OwnedBackend } from '../../model/backend.ts';
import { operations } from '../../model/operations.ts';
import type { RunStep } from '../../model/plan.ts';
import { databaseVariables, siteVariable } from '../operation-variables.ts';
import { ensureBackend } from './ensure-backend.ts';
import { backupsClaim, backupsFolder, databaseRoles, databaseSecret, labels } from './names.ts';
import { urlOf } from './place.ts';
import type { BackendPlace } from './place.ts';

/** What an operation on a cluster has to know; it travels in the variable `SLUICE_SITE`. */
export interface KubernetesSiteDescription {
  readonly kind: 'kubernetes';
  readonly backend: OwnedBackend['backend'];
  readonly place: BackendPlace;
}

/** The namespaces of backends in one cluster. */
export function backendNamespaces(place: BackendPlace): BackendNamespaces {
  return {
    ensure: async (cluster, backend) => {
      await ensureBackend(cluster, backend, place);
    },
    access: ({ backend }, step) => {
      if (step.operation !== undefined) return operationAccess({ kind: 'kubernetes', backend, place }, step.operation);
      return step.target === undefined ? nothing : scriptAccess(backend, place, step);
    },
  };
}

const nothing: StepAccess = { labels: {}, secretVariables: [], variables: {} };

/** The boot script hides where the API server is from scripts; an operation is told again. */
function operationAccess(site: KubernetesSiteDescription, name: NonNullable<RunStep['operation']>): StepAccess {
  const { account, database, backups } = { database: undefined, backups: false, ...operations[name] };
  const variables = {
    [siteVariable]: JSON.stringify(site),
    KUBERNETES_SERVICE_HOST: 'kubernetes.default.svc',
    KUBERNETES_SERVICE_PORT: '443',
  };
  if (database === undefined || site.backend.database === undefined) {
    return { account, labels: {}, secretVariables: [], variables };
  }
  const secretVariables = databaseRoles.map((role) => ({
    name: databaseVariables[role],
    secret: databaseSecret(database, role),
    key: 'DATABASE_URL',
  }));
  const volumes = backups ? [{ claim: backupsClaim, path: backupsFolder }] : [];
  return { account, labels: { [labels.environment]: database }, secretVariables, variables, volumes };
}

/** A script works with the testing environment: it may change its schema, and fill its tables. */
function scriptAccess(
  backend: OwnedBackend['backend'],
  place: BackendPlace,
  { target: environment }: RunStep,
): StepAccess {
  if (environment === undefined) return nothing;
  const secret = databaseSecret(environment, 'migrator');
  return {
    labels: { [labels.environment]: environment },
    secretVariables: backend.database === undefined ? [] : [{ name: 'DATABASE_URL', secret, key: 'DATABASE_URL' }],
    variables: { APP_URL: urlOf(place, backend.name, environment) },
  };
}
