import { randomBytes } from 'node:crypto';
import test from 'ava';
import { contractService } from '../../runner/environments/contract-service-fixture.ts';
import { adviceOf } from '../../runner/model/errors.ts';
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

  test.serial(
    'previews: a record that somebody broke hides those of no other backend, and one that a step works in makes no room for another',
    async (t) => {
      const { backends } = await clusterBackends();
      const prefix = `p-${randomBytes(3).toString('hex')}-`;
      const [broken, sound] = [`${prefix}broken`, `${prefix}sound`];
      t.teardown(async () => {
        await kubectl(['delete', 'namespace', broken, sound, '--ignore-not-found', '--wait=false']);
        await backends.close();
      });
      const begin = (name: string, branch: string) => {
        const preview = { environment: `preview-${branch}`, branch, ttlMs: 1, max: 5 } as const;
        return backends.ensure({ backend: { name, services: [contractService], preview }, repository: name });
      };
      const standing = async () => (await backends.previews.list(sound)).map(({ branch }) => branch);
      await Promise.all([begin(broken, 'a'), begin(sound, 'a')]);

      await kubectl([
        'patch',
        'configmap',
        'previews',
        '-n',
        broken,
        '--type=merge',
        '-p',
        '{"data":{"record":"{oops"}}',
      ]);
      const told = new Map<string, unknown>();
      const all = await backends.previews.list(undefined, (backend, error) => told.set(backend, error));
      t.true(all.some(({ backend }) => backend === sound));
      t.regex(
        adviceOf(told.get(broken)),
        new RegExp(`^the ConfigMap previews in ${broken} is no record of Sluice: .*kubectl edit`),
      );
      await t.throwsAsync(backends.previews.list(broken), { code: 'ERR_CORRUPT' });

      // Its time is over as soon as it is there; the pod of a step need not run for that.
      const labels = { 'sluice.dev/environment': 'preview-a' };
      const container = { name: 'step', image: 'registry.invalid/step' };
      const job = (name: string) => ({
        ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace: sound, labels } },
        spec: { suspend: false, template: { spec: { restartPolicy: 'Never', containers: [restricted(container)] } } },
      });
      await kubectl(['create', '-f', '-'], job('step'));
      await kubectl(['wait', 'job/step', '-n', sound, '--for=jsonpath={.status.active}=1', '--timeout=60s']);
      await begin(sound, 'b');
      t.deepEqual(await standing(), ['a', 'b']);
      await kubectl(['delete', 'job', 'step', '-n', sound]);
      await begin(sound, 'c');
      t.deepEqual(await standing(), ['c']);
    },
  );
}

/** As Pod Security `restricted` wants it. */
function restricted(container: object): object {
  const capabilities = { drop: ['ALL'] };
  const securityContext = { runAsNonRoot: true, runAsUser: 1000, allowPrivilegeEscalation: false, capabilities };
  return { ...container, securityContext: { ...securityContext, seccompProfile: { type: 'RuntimeDefault' } } };
}
