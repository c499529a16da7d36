import type { OperationName } from '../model/operations.ts';
import { buildRelease, deployTesting } from './deploy-test.ts';
import { migrateTesting } from './migrate.ts';
import type { Operation } from './operation.ts';
import { checkRelease, confirmRelease, prepareProduction, switchTraffic } from './promote.ts';
import { recordTests } from './run-tests.ts';

export const operationsByName: Readonly<Record<OperationName, Operation>> = {
  'migrate-testing': migrateTesting,
  'build-release': buildRelease,
  'deploy-testing': deployTesting,
  'record-tests': recordTests,
  'check-release': checkRelease,
  'prepare-production': prepareProduction,
  'switch-traffic': switchTraffic,
  'confirm-release': confirmRelease,
};
