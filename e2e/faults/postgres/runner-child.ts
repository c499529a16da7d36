import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createEngine } from '../../../runner/engine/create-engine.ts';
import { createLocalExecutor } from '../../../runner/executors/local/local-executor.ts';
import { createLogger } from '../../../runner/logging.ts';
import { createFileLogs } from '../../../runner/results/log/file-logs.ts';
import { createGitSources } from '../../../runner/sources/git-source.ts';
import { openBlobs } from '../../../runner/store/blobs.ts';
import { thisProcess } from '../../../runner/store/owner.ts';
import { openPostgresStore } from '../../../runner/store/postgres/postgres-store.ts';

// A runner of several: drives as many runs as it is told, and ends what others lose. Says on stdout which runs it has begun.

const [url = '', folder = '', name = '', count = ''] = process.argv.slice(2);
const ttlMs = 3_000;

const store = await openPostgresStore({ url, clock: Date.now, version: 'test', ttlMs });
const engine = createEngine({
  store,
  blobs: await openBlobs(join(folder, 'blobs')),
  logs: createFileLogs(join(folder, 'logs')),
  executor: createLocalExecutor({
    folder: join(folder, 'work'),
    baseEnv: { PATH: process.env['PATH'] ?? '' },
    graceMs: 300,
  }),
  sources: createGitSources({ environment: process.env, temporaryFolder: join(folder, 'trees') }),
  clock: Date.now,
  logger: createLogger('error'),
  owner: thisProcess(),
  secret: () => undefined,
  gates: new Map(),
  capacity: 2,
  maxLogBytes: 1_000_000,
  maxUploadBytes: 1_000_000_000,
  lookAhead: { attempts: 0, cpu: 0, memory: 0 },
});

const repository = join(folder, name);
await mkdir(repository);
await promisify(execFile)('git', ['init', '-q', repository]);
for (let run = 0; run < Number(count); run++) void drive(await start(run));
process.stdout.write('started\n');
for (;;) {
  await engine.recover().catch(() => undefined);
  await sleep(300);
}

/** Each step says in a file of all that it ran; its name is like no other. */
async function start(run: number): Promise<string> {
  const step = (which: string) =>
    `  ${name}${run}${which}: { run: "echo ${name}${run}${which} >> '${join(folder, 'effects')}'; sleep 0.5" }\n`;
  await writeFile(join(repository, 'sluice.yaml'), `pipeline: p\nsteps:\n${step('a')}${step('b')}${step('c')}`);
  const prepared = await engine.prepare({ location: repository, file: 'sluice.yaml', event: 'manual', actor: 'test' });
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
  return engine.start(prepared.value);
}

/** One that is lost is somebody else's. */
async function drive(runId: string): Promise<void> {
  const observer = { event: () => undefined, log: () => undefined };
  await engine.drive(runId, observer, new AbortController().signal).catch((error: unknown) => {
    process.stderr.write(`${name}: ${String(error)}\n`);
  });
}
