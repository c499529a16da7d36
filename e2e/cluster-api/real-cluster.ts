import { writeFile } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import type { ClusterClient } from '../../runner/cluster/cluster-client.ts';
import { connectCluster } from '../../runner/cluster/connect.ts';
import type { ClientLimits } from '../../runner/cluster/http-cluster-client.ts';
import type { Draft, Pod } from '../../runner/cluster/objects.ts';
import { imageOf, kubectl } from '../cluster/test-cluster.ts';

export async function connect(t: ExecutionContext, limits: Partial<ClientLimits> = {}): Promise<ClusterClient> {
  const client = await connectCluster({ kubeconfig: process.env['KUBECONFIG'], limits });
  t.teardown(() => client.close());
  return client;
}

/** A pod that runs a script, with all that Pod Security "restricted" asks for. */
export function scriptPod(name: string, script: string, more: Partial<Pod['spec']> = {}): Draft<Pod> {
  return {
    metadata: { name, labels: { app: name } },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'main',
          image: imageOf('busybox'),
          command: ['sh', '-c', script],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
      ...more,
    },
  };
}

interface Kubeconfig {
  readonly clusters: [{ cluster: Record<string, unknown> & { server: string } }];
  readonly users: [{ user: unknown }];
}

/** A copy of the kubeconfig, as `change` leaves it. */
export async function writeKubeconfig(file: string, change: (config: Kubeconfig) => void): Promise<string> {
  const config = JSON.parse(
    await kubectl(['config', 'view', '--raw', '--flatten', '--minify', '-o', 'json']),
  ) as Kubeconfig;
  change(config);
  await writeFile(file, JSON.stringify(config));
  return file;
}
