import type { OperationName } from '../model/operations.ts';
import type { Operation } from './operation.ts';

const loads: Readonly<Record<OperationName, () => Promise<Operation>>> = {
  'copy-schema': async () => (await import('./dry-run.ts')).copyProductionSchema,
  'migrate-testing': async () => (await import('./migrate.ts')).migrateTesting,
  'build-release': async () => (await import('./deploy-test.ts')).buildRelease,
  'deploy-testing': async () => (await import('./deploy-test.ts')).deployTesting,
  'record-tests': async () => (await import('./run-tests.ts')).recordTests,
  'prove-live': async () => (await import('./run-tests.ts')).proveLive,
  'check-release': async () => (await import('./promote.ts')).checkRelease,
  'prepare-production': async () => (await import('./promote.ts')).prepareProduction,
  'switch-traffic': async () => (await import('./promote.ts')).switchTraffic,
  'restore-production': async () => (await import('./restore-production.ts')).restoreProduction,
  'confirm-release': async () => (await import('./promote.ts')).confirmRelease,
};

/** Loaded by its name: an operation is a process of its own, which starts sooner without what only others need. */
export function loadOperation(name: OperationName): Promise<Operation> {
  return loads[name]();
}
