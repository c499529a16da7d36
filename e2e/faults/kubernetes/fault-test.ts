import test from 'ava';
import type { Implementation } from 'ava';

/** Folder of the cluster whose components and audit log are ours to touch. */
export const home = process.env['E2E_CLUSTER_HOME'];

/** A test that needs the cluster of e2e/cluster itself; on any other it is skipped, and in CI it fails without one. */
export function faultTest(title: string, implementation: Implementation<[]>): void {
  const { CI, KUBECONFIG } = process.env;
  const foreign = home === undefined && KUBECONFIG !== undefined;
  if (foreign || (home === undefined && CI !== 'true')) test.skip(title, implementation);
  else test(title, implementation);
}
