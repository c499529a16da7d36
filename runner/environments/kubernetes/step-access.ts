import type { BackendNamespaces, StepAccess } from '../../executors/kubernetes/backend-namespaces.ts';
import { trialOf } from '../../model/backend.ts';
import type { OwnedBackend } from '../../model/backend.ts';
import { operations } from '../../model/operations.ts';
import type { RunStep } from '../../model/plan.ts';
import { environmentFor } from '../environment-for.ts';
import { databaseVariables, originVariable, siteVariable } from '../operation-variables.ts';
import { database as testingDatabase } from './database-objects.ts';
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
    builds: place.builds !== undefined,
    ensure: async (cluster, backend) => {
      const { passwords } = await ensureBackend(cluster, backend, place);
      return passwords;
    },
    access: ({ backend }, step) => {
      if (step.operation !== undefined) return operationAccess({ kind: 'kubernetes', backend, place }, step.operation);
      return step.target === undefined ? nothing : scriptAccess(backend, place, step);
    },
  };
}

const nothing: StepAccess = { labels: {}, secretVariables: [], variables: {} };

/** The boot script hides where the API server is from scripts; an operation is told again. */
export function operationAccess(site: KubernetesSiteDescription, name: NonNullable<RunStep['operation']>): StepAccess {
  const { account, database, backups } = { database: undefined, backups: false, ...operations[name] };
  const { backend } = site;
  const environment = environmentFor(backend, { account, database });
  const variables = {
    [siteVariable]: JSON.stringify(site),
    KUBERNETES_SERVICE_HOST: 'kubernetes.default.svc',
    KUBERNETES_SERVICE_PORT: '443',
  };
  if (environment === undefined || backend.database === undefined) {
    return { account, labels: {}, secretVariables: [], variables };
  }
  const secretVariables = databaseRoles.map((role) => ({
    name: databaseVariables[role],
    secret: databaseSecret(environment, role),
    key: 'DATABASE_URL',
  }));
  const origin = backend.preview && { [originVariable]: testingDatabase };
  return {
    account,
    labels: { [labels.environment]: environment },
    secretVariables,
    variables: { ...variables, ...origin },
    volumes: backups ? [{ claim: backupsClaim, path: backupsFolder }] : [],
  };
}

/** A script works with the environment that is tested: it may change its schema, and fill its tables. */
function scriptAccess(backend: OwnedBackend['backend'], place: BackendPlace, { target }: RunStep): StepAccess {
  if (target === undefined) return nothing;
  const environment = trialOf(backend);
  const secret = databaseSecret(environment, 'migrator');
  return {
    labels: { [labels.environment]: environment },
    secretVariables: backend.database === undefined ? [] : [{ name: 'DATABASE_URL', secret, key: 'DATABASE_URL' }],
    variables: { APP_URL: urlOf(place, backend.name, environment) },
  };
}
