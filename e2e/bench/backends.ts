/**
 * From a commit to a testing app that answers through the gateway, by phase, against the bare pods of the same image: `node e2e/bench/backends.ts` with a
 * cluster, a gateway and images in the environment. The first run, which brings the namespace about, is not counted.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './common/measure.ts';

const { E2E_IMAGES, E2E_GATEWAY, BENCH_ROUNDS } = process.env;
const images = JSON.parse(E2E_IMAGES ?? '{}') as Readonly<Record<string, string>>;
const rounds = Number(BENCH_ROUNDS ?? 5);
const sluice = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
const app = fileURLToPath(new URL('../backends/apps/python', import.meta.url));
const domain = 'sluice.test';
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const name = `bench-${randomBytes(4).toString('hex')}`;
const repository = join(folder, name);

const inPods = (reference: string): string => reference.replace(/^localhost:5000/, `registry.${domain}:5000`);
const registry = inPods(images['sluice'] ?? '').replace(/\/.*$/, '');
const env = {
  ...process.env,
  SLUICE_HOME: join(folder, 'home'),
  SLUICE_EXECUTOR: 'kubernetes',
  SLUICE_NAMESPACE: 'default',
  SLUICE_IMAGES: Object.entries(images)
    .map(([image, reference]) => `${image}=${inPods(reference)}`)
    .join(' '),
  SLUICE_DOMAIN: domain,
  SLUICE_GATEWAY: 'gateway/public',
  SLUICE_GATEWAY_URL: E2E_GATEWAY,
  SLUICE_REGISTRY: registry,
  SLUICE_PLAIN_HTTP_REGISTRIES: registry,
};

interface StepReport {
  readonly id: string;
  readonly outcome?: string;
  readonly attempts: readonly { readonly startedAt: number; readonly finishedAt?: number }[];
}

interface Report {
  readonly outcome?: string;
  readonly createdAt: number;
  readonly steps: readonly StepReport[];
}

interface Round {
  readonly accepted: number;
  readonly build: number;
  readonly deploy: number;
  readonly total: number;
  readonly bare: number;
}

function git(...args: readonly string[]): void {
  execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com', ...args], { cwd: repository });
}

function kubectl(args: readonly string[], input?: object): string {
  return execFileSync('kubectl', ['-n', name, ...args], {
    encoding: 'utf8',
    input: input === undefined ? '' : JSON.stringify(input),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** One commit through `deploy-test`; the times of its phases in ms. */
function deploy(round: number): Omit<Round, 'bare'> {
  writeFileSync(join(repository, 'round.txt'), String(round));
  git('add', '--all', '.');
  git('commit', '-q', '-m', 'a change');
  const begun = Date.now();
  const output = execFileSync(process.execPath, [sluice, 'run', '--json'], { cwd: repository, env, encoding: 'utf8' });
  const documents = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly kind?: string; readonly report?: Report });
  const report = documents.find(({ kind }) => kind === 'report')?.report;
  if (report?.outcome !== 'succeeded') throw new Error(`the run ended as ${report?.outcome ?? 'nothing'}`);
  const [build, live] = ['deploy-test/build', 'deploy-test/deploy'].map((id) => spanOf(report, id));
  if (build === undefined || live === undefined) throw new Error('the run has no deploy-test');
  return {
    accepted: build.begun - begun,
    build: build.ended - build.begun,
    deploy: live.ended - live.begun,
    total: live.ended - begun,
  };
}

function spanOf({ steps }: Report, id: string) {
  const attempts = steps.find((step) => step.id === id)?.attempts ?? [];
  return { begun: attempts[0]?.startedAt ?? 0, ended: attempts.at(-1)?.finishedAt ?? 0 };
}

/** The Deployment of the testing app as it is, under another name, from its creation until it is available. */
function deployBare(round: number): number {
  const [found] = (
    JSON.parse(kubectl(['get', 'deployments', '-l', 'sluice.dev/environment=testing', '-o', 'json'])) as {
      readonly items: readonly { readonly spec: { readonly template: { readonly spec: object } } }[];
    }
  ).items;
  const bare = `bare-${round}`;
  const labels = { bare };
  const spec = {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: found?.spec.template.spec },
  };
  const begun = performance.now();
  kubectl(['create', '-f', '-'], { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: bare }, spec });
  kubectl(['wait', `deployment/${bare}`, '--for=condition=Available', '--timeout=120s']);
  const took = performance.now() - begun;
  kubectl(['delete', 'deployment', bare, '--wait=false']);
  return took;
}

function print(measured: readonly Round[]): void {
  const seconds = (pick: (round: Round) => number): string =>
    (median(measured.map(pick)) / 1000).toFixed(1).padStart(6);
  console.log(
    `commit → testing app that answers, median of ${measured.length}, load ${loadavg()[0]?.toFixed(1) ?? ''}`,
  );
  console.log(`until the first step begins  ${seconds(({ accepted }) => accepted)} s`);
  console.log(`build and push the image     ${seconds(({ build }) => build)} s`);
  console.log(`start, route, prove          ${seconds(({ deploy: live }) => live)} s`);
  console.log(`in all                       ${seconds(({ total }) => total)} s`);
  console.log(`the bare Deployment          ${seconds(({ bare }) => bare)} s`);
  console.log(`beyond the app's own start   ${seconds(({ total, bare }) => total - bare)} s  target < 10 s`);
}

try {
  cpSync(app, repository, { recursive: true });
  const text = readFileSync(join(repository, 'sluice.yaml'), 'utf8').replaceAll('${BACKEND}', name);
  writeFileSync(
    join(repository, 'sluice.yaml'),
    `${text.slice(0, text.indexOf('steps:'))}steps:\n  deploy-test: { uses: deploy-test }\n`,
  );
  git('init', '-q', '-b', 'main');
  deploy(0);
  const measured: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) measured.push({ ...deploy(round), bare: deployBare(round) });
  print(measured);
} finally {
  execFileSync('kubectl', ['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
  rmSync(folder, { recursive: true, force: true });
}
