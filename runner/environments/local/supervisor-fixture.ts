import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { databaseFolder } from './database-folder.ts';
import { releasesFolder } from './supervisor-calls.ts';
import { SupervisorClient } from './supervisor-client.ts';

export interface TestSupervisor {
  readonly folder: string;
  readonly client: SupervisorClient;
  /** Where files of releases are. */
  readonly releases: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Ends it with all that it started, and removes its data. */
  remove(): Promise<void>;
}

const env = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' };

/** A supervisor in a process of its own, on a fresh folder. */
export async function startSupervisor(): Promise<TestSupervisor> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-env-'));
  const client = new SupervisorClient(folder);
  let child: ChildProcess | undefined;
  const supervisor: TestSupervisor = {
    folder,
    client,
    releases: join(folder, releasesFolder),
    start: async () => {
      const program = fileURLToPath(new URL('supervisor-child-fixture.ts', import.meta.url));
      const args = ['--disable-warning=ExperimentalWarning', program, folder];
      child = spawn(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
      while ((await client.find()) === undefined) {
        if (child.exitCode !== null) throw new Error(`the supervisor ended with ${child.exitCode}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    kill: async () => {
      if (child === undefined) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    remove: async () => {
      const ended = child?.exitCode === null && child.signalCode === null && once(child, 'exit');
      if ((await client.find()) !== undefined) await client.stop();
      await ended;
      rmSync(folder, { recursive: true, force: true });
      rmSync(databaseFolder(folder), { recursive: true, force: true });
    },
  };
  await supervisor.start();
  return supervisor;
}
