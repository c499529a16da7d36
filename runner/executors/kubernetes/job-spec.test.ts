import { readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import type { RunStep } from '../../model/plan.ts';
import { runStep } from '../../model/plan-fixture.ts';
import type { Draft, Job } from '../../cluster/objects.ts';
import { buildJob } from './job-spec.ts';
import { podServices } from './pod-services.ts';
import type { KubernetesSettings } from './settings.ts';

const settings: KubernetesSettings = {
  namespace: 'builds',
  owner: '0123456789abcdef',
  agentImage: 'registry.example/sluice/agent:1',
  agentUrl: 'http://192.0.2.7:8080',
  images: { prefix: 'registry.example/sluice/', tag: '1', pinned: {} },
  user: 1000,
  graceMs: 10_000,
  patienceMs: 300_000,
  placeMs: 1_800_000,
  absenceMs: 3_600_000,
};

const golden = new URL('job-spec.golden.json', import.meta.url);
const { UPDATE_GOLDEN } = process.env;

function jobOf(step: RunStep, runId = '01arz3ndektsv4rr'): Draft<Job> {
  return buildJob(
    { runId, step, attempt: 1, secretNames: step.secrets, services: podServices(step, settings) },
    settings,
  );
}

/** Everything that a pipeline file can say of a step. */
const full = runStep('test[node=24]', {
  script: 'npm test',
  shell: 'bash',
  image: 'node-24',
  workdir: 'server',
  env: { CI: 'true', TOKEN_FILE: 'x' },
  secrets: ['NPM_TOKEN'],
  services: [
    { name: 'db', image: 'postgres', env: { POSTGRES_DB: 'shop' }, ready: 'pg_isready' },
    { name: 'cache', image: 'redis:7', env: {} },
  ],
  junit: { paths: ['reports/*.xml'], allowEmpty: false },
  outputs: { paths: ['dist'], values: ['version'] },
  caches: [{ key: 'npm', paths: ['~/.npm'] }],
  resources: { cpu: '500m', memory: '512Mi', 'ephemeral-storage': '10Gi' },
  timeoutMs: 600_000,
  infraRetries: 2,
});

test('the Job of a step that has everything is the golden one, field by field', (t) => {
  const found = `${JSON.stringify(jobOf(full), null, 2)}\n`;
  if (UPDATE_GOLDEN === '1') writeFileSync(golden, found);
  t.deepEqual(JSON.parse(found), JSON.parse(readFileSync(golden, 'utf8')));
});

test('script, variables, files and values of secrets are no part of the Job: they come with the go', (t) => {
  const bare = { ...full, script: 'other', env: {}, workdir: '', junit: { paths: [], allowEmpty: true }, caches: [] };
  t.deepEqual(jobOf(bare), jobOf(full));
});

type Fields = Readonly<Record<string, unknown>>;

/** What a pod may do, without what the file may choose: images, arguments, variables, resources, its readiness. */
function hardening(job: Draft<Job>): unknown {
  const { template, ...spec } = { ...job.spec, activeDeadlineSeconds: undefined };
  const { containers, ...pod } = template.spec;
  const chosen = ['name', 'image', 'args', 'env', 'envFrom', 'resources', 'readinessProbe'];
  const rest = (container: object): Fields =>
    Object.fromEntries(Object.entries(container).filter(([field]) => !chosen.includes(field)));
  const [agent, step, ...services] = containers;
  const ofServices = [...new Set(services.map((service) => JSON.stringify(rest(service))))];
  return { spec, pod, agent, step: rest(step ?? {}), ofServices: ofServices.length === 0 ? undefined : ofServices };
}

const text = fc.string({ unit: 'binary', maxLength: 40 });
const dictionary = fc.dictionary(text, text, { maxKeys: 4 });

/** A step out of whatever text a file may have, words of the Kubernetes API among it. */
const words = fc.oneof(
  text,
  fc.constantFrom(
    'privileged',
    'hostNetwork: true',
    '"securityContext":{"privileged":true}',
    'default',
    '../../',
    '$(X)',
  ),
);
const anyStep = fc.record({
  id: words,
  script: words,
  shell: fc.constantFrom<'sh' | 'bash'>('sh', 'bash'),
  image: words,
  workdir: words,
  env: dictionary,
  secrets: fc.array(words, { maxLength: 3 }),
  services: fc.array(fc.record({ name: words, image: words, env: dictionary, ready: words, port: fc.nat(65_535) }), {
    maxLength: 3,
  }),
  resources: fc.record({ cpu: words, memory: words, 'ephemeral-storage': words }, { requiredKeys: [] }),
  timeoutMs: fc.nat(86_400_000),
});

test('nothing that a pipeline file says changes what its pod may do', (t) => {
  const plain = hardening(jobOf(runStep('plain'))) as { readonly agent: Fields };
  const withService = hardening(jobOf(runStep('plain', { services: [{ name: 'a', image: 'b', env: {} }] }))) as {
    readonly ofServices: readonly string[];
  };
  // The name of the Job is the one value of the agent that differs from attempt to attempt.
  const nameless = (agent: Fields): string => JSON.stringify(agent).replaceAll(/r-[\w-]+-[0-9a-f]{8}-1/g, 'NAME');
  fc.assert(
    fc.property(anyStep, ({ id, ...change }) => {
      const found = hardening(jobOf(runStep(id, change))) as { readonly agent: Fields; readonly ofServices?: unknown };
      t.is(nameless(found.agent), nameless(plain.agent));
      t.deepEqual({ ...found, agent: 0, ofServices: 0 }, { ...plain, agent: 0, ofServices: 0 });
      if (found.ofServices !== undefined) t.deepEqual(found.ofServices, withService.ofServices);
    }),
    { numRuns: 1_000 },
  );
});

test('an image may be called like a property that every object has', (t) => {
  const services = ['valueOf', 'constructor', '__proto__'].map((image) => ({ name: 'a', image, env: {}, port: 1 }));
  for (const service of services)
    t.is(jobOf(runStep('a', { services: [service] })).spec.template.spec.containers.length, 3);
});

test('labels are of our making: no text of a file stands in them, and all of them fit', (t) => {
  fc.assert(
    fc.property(words, words, (id, runId) => {
      const { metadata, spec } = jobOf(runStep(id), runId);
      t.regex(metadata.name, /^r-[a-z0-9-]{1,45}-\d+$/);
      for (const value of Object.values({ ...metadata.labels, ...spec.template.metadata?.labels }))
        t.regex(value, /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/);
    }),
  );
});

test('the rules of a hardened pod hold for every container', (t) => {
  const { spec } = jobOf(full);
  const pod = spec.template.spec;
  t.is(pod.restartPolicy, 'Never');
  t.false(pod.automountServiceAccountToken);
  t.false(pod.enableServiceLinks);
  t.like(pod.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'initContainers', 'serviceAccountName'])
    t.false(field in pod);
  for (const { name, securityContext, volumeMounts = [] } of pod.containers) {
    t.deepEqual(securityContext, { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }, name);
    // The agent alone can prove that it is this pod.
    t.is(
      volumeMounts.some((mount) => mount.name === 'token'),
      name === 'agent',
    );
  }
  t.is(spec.backoffLimit, 0);
  t.is(spec.ttlSecondsAfterFinished, undefined);
});
