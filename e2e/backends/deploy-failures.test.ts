import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { backendTest, stepOf, TestBackend } from './test-backend.ts';
import type { Report, Running } from './test-backend.ts';

/** One way in which a release does not come to serve as the testing app. */
interface Failure {
  readonly name: string;
  /** Put in the place of what the pipeline says of the service. */
  readonly service: string;
  readonly database?: true;
  /** Done while the step before deploys nothing yet. */
  readonly before?: (backend: TestBackend) => Promise<unknown>;
  /** Done to the testing Deployment as soon as it is there. */
  readonly after?: (backend: TestBackend, deployment: string) => Promise<unknown>;
}

const answers = 'start: python3 server.py, port: 8000, health: /healthz';

const failures: readonly Failure[] = [
  { name: 'base image is missing', service: `image: "\${REGISTRY}/nothing-here:1", ${answers}` },
  // The runtime copies the two streams one beside the other: what comes at once has no order.
  { name: 'crash', service: `start: "echo reading config; sleep 0.5; echo no config >&2; exit 4", port: 8000` },
  { name: 'program is missing', service: 'start: serve --all, port: 8000' },
  { name: 'memory', service: `start: "python3 -c 'bytearray(10**9)'", port: 8000` },
  { name: 'health never answers', service: 'start: python3 server.py, port: 8000, health: /nowhere' },
  {
    name: 'quota',
    service: answers,
    before: (backend) =>
      backend.kubectl(['create', '-f', '-'], {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'tight' },
        // Enough for the pod of a step, which asks for 20m, and not for that and an app.
        spec: { hard: { 'requests.cpu': '65m' } },
      }),
  },
  {
    name: 'secret is missing',
    service: answers,
    database: true,
    before: (backend) => backend.kubectl(['delete', 'secret', 'test-db-app']),
  },
  {
    name: 'no node fits',
    service: 'start: sleep 600, port: 8000, health: /healthz',
    after: (backend, deployment) =>
      backend.kubectl(['patch', deployment, '-p', '{"spec":{"template":{"spec":{"nodeSelector":{"disk":"fast"}}}}}']),
  },
];

function pipelineFor(backend: TestBackend, { service, database }: Failure): string {
  const registry = backend.env['SLUICE_REGISTRY'] ?? '';
  return `pipeline: words
runtime: python-3.11
backend:
  name: ${backend.name}
  services:
    web: { ${service.replace('${REGISTRY}', registry)} }
${database ? '  database: { engine: postgres }\n' : ''}steps:
  before: { run: sleep 3 }
  deploy-test: { uses: deploy-test, with: { health_timeout: ${service.includes('/nowhere') ? '10s' : '2m'} } }
`;
}

/** Answers the first object of a kind that a selector finds. */
async function appears(backend: TestBackend, running: Running, args: readonly string[]): Promise<string> {
  while (!running.isOver) {
    const found = await backend.kubectl(['get', ...args, '-o', 'name', '--ignore-not-found']).catch(() => '');
    const [first] = found.trim().split('\n');
    if (first) return first;
    await sleep(200);
  }
  throw new Error(`there was never a ${args.join(' ')}`);
}

async function runOf(backend: TestBackend, failure: Failure): Promise<Report> {
  const running = backend.begin('run');
  const report = running.report();
  // The pod of the first step is there once its namespace is what it should be.
  if (failure.before) {
    await appears(backend, running, ['pods', '-l', 'sluice.dev/attempt']);
    await failure.before(backend);
  }
  if (failure.after) {
    const selector = ['deployments', '-l', 'sluice.dev/environment=testing'];
    await failure.after(backend, await appears(backend, running, selector));
  }
  return report;
}

/** Without what differs from run to run. */
function essence(backend: TestBackend, report: Report): object {
  const step = report.steps.find(({ id, outcome }) => id.startsWith('deploy-test/') && outcome !== 'succeeded');
  const message = step?.message
    ?.replaceAll(backend.name, 'BACKEND')
    .replaceAll(backend.env['SLUICE_REGISTRY'] ?? '', 'REGISTRY')
    // Pods of steps that have just ended may count still.
    .replaceAll(/\d+m of 65m is used/g, 'SOME of 65m is used')
    .replaceAll(/-r1-[0-9a-f]+-\w{5}\b/g, '-r1-POD')
    .replaceAll(/-r1-[0-9a-f]{8,10}\b/g, '-r1-SET');
  return { outcome: report.outcome, step: step?.id, stepOutcome: step?.outcome, reason: step?.reason, message };
}

const golden = new URL('deploy-failures.json', import.meta.url);
const { UPDATE_GOLDEN } = process.env;

for (const failure of failures) {
  backendTest(`deploy-test says at once why a release does not serve: ${failure.name}`, async (t) => {
    const backend = await TestBackend.open(t, 'python');
    await backend.commit({ 'sluice.yaml': pipelineFor(backend, failure) });
    const report = await runOf(backend, failure);
    const known = JSON.parse(readFileSync(golden, 'utf8')) as Readonly<Record<string, object>>;
    const found = essence(backend, report);
    if (UPDATE_GOLDEN === '1') {
      writeFileSync(golden, `${JSON.stringify({ ...known, [failure.name]: found }, null, 2)}\n`);
    }
    t.deepEqual(found, UPDATE_GOLDEN === '1' ? found : known[failure.name]);
    t.is(report.outcome, 'failed');
    const [attempt] = stepOf(report, 'deploy-test/deploy').attempts;
    if (attempt?.finishedAt !== undefined)
      t.log(`after ${((attempt.finishedAt - attempt.startedAt) / 1000).toFixed(1)} s`);
  });
}
