import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext, Implementation } from 'ava';

const { CI, E2E_IMAGES } = process.env;

/** A test that needs a cluster. Without one it is skipped, except in CI, where it fails. */
export function clusterTest(title: string, implementation: Implementation<[]>): void {
  if (E2E_IMAGES === undefined && CI !== 'true') test.skip(title, implementation);
  else test(title, implementation);
}

/** The reference of an image that `e2e/cluster/images` made. */
export function imageOf(name: string): string {
  const reference = E2E_IMAGES && (JSON.parse(E2E_IMAGES) as Readonly<Record<string, string>>)[name];
  if (!reference) throw new Error(`There is no image "${name}" for tests: npm run test:e2e builds it.`);
  return reference;
}

/** Runs kubectl and answers what it printed. */
export async function kubectl(args: readonly string[], input?: object): Promise<string> {
  const running = promisify(execFile)('kubectl', args, { maxBuffer: 2 ** 26 });
  running.child.stdin?.end(input === undefined ? undefined : JSON.stringify(input));
  return (await running).stdout;
}

/** A fresh namespace that takes restricted pods only, unless it is told otherwise; gone with the test. */
export async function freshNamespace(
  t: ExecutionContext,
  prefix: string,
  security: 'restricted' | 'baseline' = 'restricted',
): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  const labels = { 'pod-security.kubernetes.io/enforce': security };
  await kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  t.teardown(() => kubectl(['delete', 'namespace', name, '--wait=false']));
  await waitFor(['serviceaccount/default', '-n', name], 'create');
  return name;
}

/** `condition` is one of `kubectl wait --for`: polling by processes would be work for the cores that the pods need. */
export async function waitFor(object: readonly string[], condition: string): Promise<void> {
  await kubectl(['wait', ...object, `--for=${condition}`, '--timeout=120s']);
}
