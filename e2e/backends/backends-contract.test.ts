import { randomBytes } from 'node:crypto';
import test from 'ava';
import { backendsContract } from '../../runner/environments/backends-contract.ts';
import { kubectl } from '../cluster/test-cluster.ts';
import { clusterBackends } from './cluster-backends.ts';

const { CI, E2E_GATEWAY, E2E_IMAGES } = process.env;

if (CI !== 'true' && (E2E_IMAGES === undefined || E2E_GATEWAY === undefined)) {
  test.skip('namespaces keep what places of backends promise', () => undefined);
} else {
  backendsContract(async () => {
    const { backends } = await clusterBackends();
    const prefix = `c-${randomBytes(3).toString('hex')}-`;
    return {
      backends,
      prefix,
      close: async () => {
        const names = ['shop', 'plain'].map((name) => `${prefix}${name}`);
        await kubectl(['delete', 'namespace', ...names, '--ignore-not-found', '--wait=false']);
        await backends.close();
      },
    };
  });
}
