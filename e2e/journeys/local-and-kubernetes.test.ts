import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { clusterTest, freshNamespace, imageOf } from '../cluster/test-cluster.ts';

const sluice = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
const secret = 'a-secret-of-thirty-characters!';

/** One pipeline per journey: what a person would write, for any image that has `sh`. */
const journeys: Readonly<Record<string, string>> = {
  'results of every kind': `
  build:
    run: |
      echo building
      mkdir -p out && echo built > out/app && echo version=1.2 >> "$SLUICE_OUTPUT"
    outputs: { paths: [out/**], values: [version] }
    artifacts: [out/**]
  test:
    env: { VERSION: "\${{ needs.build.outputs.version }}" }
    junit: report.xml
    run: |
      test "$VERSION" = 1.2 && cat out/app
      echo '<testsuite name="s"><testcase classname="c" name="one"/><testcase classname="c" name="two"><skipped/></testcase></testsuite>' > report.xml
  each:
    needs: [build]
    matrix: { size: [small, large] }
    env: { SIZE: "\${{ matrix.size }}" }
    run: echo "size $SIZE"
`,
  'secrets, a second attempt and a condition': `
  flaky:
    secrets: [TOKEN]
    retry: { max: 1, on: [failed], backoff: 50ms }
    run: |
      echo "the token is $TOKEN"
      test "$SLUICE_ATTEMPT" = 2
  never: { if: "branch == 'nowhere'", run: "echo never" }
  always: { needs: [flaky], run: "echo always" }
`,
  'tests that fail, steps that wait for them, and what comes in any case': `
  test:
    junit: report.xml
    run: |
      echo '<testsuite><testcase classname="c" name="good"/><testcase classname="c" name="bad"><failure message="1 is not 2">at line 3</failure></testcase></testsuite>' > report.xml
  deploy: { run: "echo deployed" }
finally:
  clean: { run: "echo cleaned" }
`,
  'ends of every kind': `
  exit: { needs: [], run: "echo out; echo err >&2; exit 7" }
  killed: { needs: [], run: "kill -9 $$" }
  missing: { needs: [], run: "no-such-command-anywhere 2>/dev/null" }
  slow: { needs: [], timeout: 1s, run: "sleep 60" }
  forgot: { needs: [], run: "true", artifacts: [{ path: report.txt, required: true }] }
  untold: { needs: [], run: "true", outputs: { values: [answer] } }
  untested: { needs: [], run: "true", junit: "*.xml" }
  unreadable: { needs: [], run: "echo '<testsuite>' > a.xml", junit: a.xml }
`,
};

/** What each command of the way says, as JSON. */
const commands = ['show', 'tests', 'artifacts', 'logs'];

/** Times, ids and places, which differ from run to run on one executor too. */
const own = new Set([
  'runId',
  'createdAt',
  'startedAt',
  'finishedAt',
  'at',
  'executor',
  'place',
  'durationMs',
  'commit',
]);

/** What an attempt was noted to have had, or not, at its place. */
const ofPlace = /^(kubernetes: |image .* is not used: )/;

function essence(value: unknown): unknown {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    return value.filter((text) => !ofPlace.test(text));
  if (Array.isArray(value)) return value.map(essence);
  // A container does not tell a signal from the exit code that a shell makes of it, so there the message names both.
  if (typeof value === 'string') return value.replace(/^(SIG[A-Z]+) \(exit code \d+\)$/, '$1');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !own.has(key))
      .map(([key, item]) => [key, essence(item)]),
  );
}

for (const [title, steps] of Object.entries(journeys)) {
  clusterTest(`the same pipeline gives the same JSON on a laptop and on a cluster: ${title}`, async (t) => {
    t.timeout(240_000);
    const folder = mkdtempSync(join(tmpdir(), 'sluice-journey-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const repository = join(folder, 'repository');
    execFileSync('git', ['init', '-q', '-b', 'main', repository]);
    writeFileSync(join(repository, 'sluice.yaml'), `pipeline: journey\nruntime: ${imageOf('busybox')}\nsteps:${steps}`);
    const cluster = { SLUICE_NAMESPACE: await freshNamespace(t, 'journey'), SLUICE_AGENT_IMAGE: imageOf('agent') };
    const [local, kubernetes] = await Promise.all([
      journey(t, { repository, env: { SLUICE_EXECUTOR: 'local', SLUICE_HOME: join(folder, 'local') } }),
      journey(t, {
        repository,
        env: { ...cluster, SLUICE_EXECUTOR: 'kubernetes', SLUICE_HOME: join(folder, 'cluster') },
      }),
    ]);
    t.deepEqual(kubernetes, local);
  });
}

interface Place {
  readonly repository: string;
  readonly env: NodeJS.ProcessEnv;
}

/** What a person sees who runs a pipeline and then looks at it from all sides: exit codes and documents. */
async function journey(t: ExecutionContext, { repository, env }: Place): Promise<object> {
  const { code } = await run(['run', repository], env);
  const seen = await Promise.all(commands.map((command) => run([command, '--json'], env)));
  t.true(seen.every(({ documents }) => documents.length > 0));
  t.false(JSON.stringify(seen).includes(secret));
  return { code, seen };
}

function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number; readonly documents: readonly unknown[] }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number; documents: readonly unknown[] }>();
  const all = { ...process.env, SLUICE_SECRET_TOKEN: secret, ...env };
  execFile(process.execPath, [sluice, ...args], { env: all }, (error, stdout) => {
    const lines = args.includes('--json') ? stdout.trim().split('\n').filter(Boolean) : [];
    resolve({ code: Number(error?.code ?? 0), documents: lines.map((line) => essence(JSON.parse(line))) });
  });
  return promise;
}
