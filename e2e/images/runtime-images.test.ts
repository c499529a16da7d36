import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { clusterTest, freshNamespace, imageOf, kubectl, waitFor } from '../cluster/test-cluster.ts';

interface RuntimeImage {
  readonly name: string;
  /** Of the compressed layers, as a node pulls them. */
  readonly maxMegabytes: number;
  /** What runs until it is told to stop; a shell's `sleep` where the image has no service of its own. */
  readonly service?: readonly string[];
  /** Succeeds in the container when the service is up. */
  readonly ready?: readonly string[];
  /** Only where the image runs one program and nothing else. */
  readonly entrypoint?: readonly string[];
}

const images: readonly RuntimeImage[] = [
  { name: 'base', maxMegabytes: 80 },
  { name: 'node-22', maxMegabytes: 120 },
  { name: 'node-24', maxMegabytes: 120 },
  { name: 'python-3.11', maxMegabytes: 100 },
  { name: 'go', maxMegabytes: 160 },
  { name: 'postgres', maxMegabytes: 120, service: ['postgres'], ready: ['pg_isready'] },
  { name: 'buildah', maxMegabytes: 100 },
  { name: 'agent', maxMegabytes: 60, entrypoint: ['tini', '--'] },
  { name: 'sluice', maxMegabytes: 65, entrypoint: ['tini', '--'] },
  { name: 'api-tests', maxMegabytes: 110 },
];

/** Everything that every image promises; the rest is in `test.sh` beside its Containerfile. */
const promises = `
  [ "$(id -u)" = 1000 ]
  touch "$HOME/file" /tmp/file
  sh -c 'sleep 0.1 & exec true'
  for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 1; grep -sq '^State:.Z' /proc/[0-9]*/status || exit 0; done
  exit 1
`;

const securityContext = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

function pod({ name, entrypoint, ready }: RuntimeImage, podName: string, args: readonly string[]): object {
  const env = [{ name: 'POSTGRES_HOST_AUTH_METHOD', value: 'trust' }];
  const command = entrypoint && { command: entrypoint };
  const probe = ready && { readinessProbe: { exec: { command: ready }, periodSeconds: 1 } };
  const container = { name: 'step', image: imageOf(name), ...command, args, env, ...probe, securityContext };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    // The finalizer keeps the pod's last words when it is deleted.
    metadata: { name: podName, finalizers: ['sluice.test/read'] },
    spec: { restartPolicy: 'Never', automountServiceAccountToken: false, containers: [container] },
  };
}

class TestPod {
  readonly #place: readonly string[];

  constructor(place: readonly string[]) {
    this.#place = place;
  }

  static async create(t: ExecutionContext, image: RuntimeImage, args: readonly string[]): Promise<TestPod> {
    const namespace = await freshNamespace(t, 'images');
    const name = image.name.replace('.', '-');
    await kubectl(['create', '-n', namespace, '-f', '-'], pod(image, name, args));
    const place = ['pod', name, '-n', namespace];
    t.teardown(() => kubectl(['patch', ...place, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']));
    return new TestPod(place);
  }

  async exitCode(): Promise<number> {
    const path = '{.status.containerStatuses[0].state.terminated.exitCode}';
    await waitFor(this.#place, `jsonpath=${path}`);
    return Number(await kubectl(['get', ...this.#place, '-o', `jsonpath=${path}`]));
  }

  async started(): Promise<void> {
    await waitFor(this.#place, 'condition=Ready');
  }

  log(): Promise<string> {
    return kubectl(['logs', ...this.#place.slice(1)]);
  }

  async delete(graceSeconds: number): Promise<void> {
    await kubectl(['delete', ...this.#place, '--wait=false', `--grace-period=${graceSeconds}`]);
  }
}

for (const image of images) {
  clusterTest(`${image.name} keeps what its page promises, without root and without rights`, async (t) => {
    const own = readFileSync(new URL(`../../runtime-images/${image.name}/test.sh`, import.meta.url), 'utf8');
    const step = await TestPod.create(t, image, ['sh', '-euxc', `${own}\n${promises}`]);
    t.is(await step.exitCode(), 0, await step.log());
  });

  clusterTest(`${image.name} ends when it is told to`, async (t) => {
    const step = await TestPod.create(t, image, image.service ?? ['sh', '-c', 'sleep 1000; true']);
    await step.started();
    await step.delete(60);
    t.true([0, 143].includes(await step.exitCode()), await step.log());
  });

  clusterTest(`${image.name} is not large`, (t) => {
    const args = ['inspect', '--raw', '--tls-verify=false', `docker://${imageOf(image.name)}`];
    const manifest = JSON.parse(execFileSync('skopeo', args, { encoding: 'utf8' })) as {
      readonly layers: readonly { readonly size: number }[];
    };
    const megabytes = manifest.layers.reduce((sum, { size }) => sum + size, 0) / 1_000_000;
    t.log(`${megabytes.toFixed(1)} MB`);
    t.true(megabytes < image.maxMegabytes, `${megabytes} MB`);
  });
}

test('every image has a page and a test', (t) => {
  for (const { name } of images) {
    for (const file of ['Containerfile', 'README.md', 'test.sh'])
      t.notThrows(() => readFileSync(new URL(`../../runtime-images/${name}/${file}`, import.meta.url)));
  }
});
