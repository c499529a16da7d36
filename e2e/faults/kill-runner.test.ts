import test from 'ava';
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkHistory } from './check-history.ts';
import type { Acknowledged, History } from './check-history.ts';

const sluice = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
const run = promisify(execFile);

/** Every step leaves a line in a file outside of its workspace each time its command really runs. */
const pipeline = (effects: string): string => `pipeline: crash
steps:
  build:
    run: |
      echo build >> ${effects}
      mkdir out && echo built > out/app && echo v=1 >> "$SLUICE_OUTPUT"
    outputs: { paths: [out/**], values: [v] }
    artifacts: [out/**]
  flaky:
    needs: []
    run: |
      echo flaky >> ${effects}
      sleep 0.1; test "$SLUICE_ATTEMPT" = 2
    retry: { max: 1, on: [failed], backoff: 50ms }
  tests:
    needs: [build]
    env: { V: "\${{ needs.build.outputs.v }}" }
    junit: r.xml
    run: |
      echo tests >> ${effects}
      echo "<testsuite><testcase name='one'/></testsuite>" > r.xml
      test -e out/app && sleep 0.2 && (sleep 0.3; echo late >> ${effects}.late) & wait
  last: { needs: [flaky, tests], run: "echo last >> ${effects}" }
finally:
  clean: { run: "echo clean >> ${effects}" }
`;

interface Machine {
  readonly folder: string;
  readonly repository: string;
  readonly home: string;
  readonly effects: string;
}

async function makeMachine(): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-kill-'));
  const machine = {
    folder,
    repository: join(folder, 'repository'),
    home: join(folder, 'home'),
    effects: join(folder, 'effects'),
  };
  await mkdir(machine.repository);
  await writeFile(join(machine.repository, 'sluice.yaml'), pipeline(machine.effects));
  await writeFile(machine.effects, '');
  await run('git', ['init', '-q', machine.repository]);
  return machine;
}

/** Runs the pipeline and kills Sluice when it has printed `lines` lines, after `delayMs`. What it printed was acknowledged. */
async function killAfter(
  { home, repository }: Machine,
  lines: number,
  delayMs: number,
): Promise<readonly Acknowledged[]> {
  const child = spawn(process.execPath, [sluice, 'run', '--json', '--home', home, repository], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const seen: Acknowledged[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    seen.push(JSON.parse(line) as Acknowledged);
    if (seen.length !== lines) continue;
    await sleep(delayMs);
    child.kill('SIGKILL');
  }
  await ended;
  return seen;
}

async function sluiceJson(home: string, ...args: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, [sluice, ...args, '--json', '--home', home], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (output === '') throw new Error(`sluice ${args.join(' ')} says nothing: ${errors}`);
  return JSON.parse(output);
}

/** Processes of steps carry the marker in their environment. */
async function strayProcesses(folder: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')));
  return pids.filter((_, index) => environments[index]?.includes(`${folder}/home/work/`));
}

async function historyOf(machine: Machine, acknowledged: readonly Acknowledged[]): Promise<History> {
  const effects = (await readFile(machine.effects, 'utf8')).split('\n').filter(Boolean);
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(join(machine.home, 'sluice.db'), { readOnly: true });
  const rows = database.prepare('select * from events order by run_id, version').all();
  const integrity = database.prepare('pragma integrity_check').get()?.['integrity_check'];
  database.close();
  const events = rows.map((row) => ({
    runId: String(row['run_id']),
    version: Number(row['version']),
    body: String(row['body']),
  }));
  return { acknowledged, events, integrity: String(integrity), effects };
}

// Each line is an event that became durable; each is killed at once and a little later: 32 points.
const points = Array.from({ length: 16 }, (_, line) => line + 1).flatMap((line) => [
  { line, delayMs: 0 },
  { line, delayMs: 7 * line },
]);

for (const { line, delayMs } of points) {
  test.serial(`R000-21, E7: kill -9 at event ${line}, ${delayMs} ms later, loses nothing`, async (t) => {
    t.timeout(60_000);
    const machine = await makeMachine();
    t.teardown(() => rm(machine.folder, { recursive: true, force: true }));
    const acknowledged = await killAfter(machine, line, delayMs);
    await sluiceJson(machine.home, 'runs');
    t.deepEqual(checkHistory(await historyOf(machine, acknowledged)), []);
    t.deepEqual(await strayProcesses(machine.folder), []);
    t.is(await runOn(machine), 'succeeded');
    t.deepEqual(await leftovers(machine), []);
    t.deepEqual(checkHistory(await historyOf(machine, acknowledged)), []);
  });
}

/** Repeats what was lost, or the last step of a run that was green already, to a green end. */
async function runOn({ home }: Machine): Promise<unknown> {
  const outcome = async (): Promise<unknown> =>
    ((await sluiceJson(home, 'show', 'latest')) as { readonly outcome?: string }).outcome;
  const scope = (await outcome()) === 'succeeded' ? ['--from', 'last'] : ['--failed'];
  await run(process.execPath, [sluice, 'rerun', ...scope, '--home', home]);
  return outcome();
}

/** Whatever a killed process may have left half-made; a later one removes it. */
async function leftovers({ home }: Machine): Promise<readonly string[]> {
  const folders = [
    ['work', 'attempts'],
    ['blobs', 'incoming'],
  ];
  const names = await Promise.all(folders.map((path) => readdir(join(home, ...path)).catch(() => [])));
  return names.flat();
}
