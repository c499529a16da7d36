import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ProcessWatch } from '../../process-watch.ts';
import type { Cost } from './trial.ts';

const program = fileURLToPath(new URL('../../peers/peers', import.meta.url));

/** A peer of e2e/peers that is up. */
export interface Peer {
  readonly version: string;
  /** Of its controller. */
  readonly pid: number;
}

/** The peers that are up, by name: `tekton`, `argo`. */
export function findPeers(): ReadonlyMap<string, Peer> {
  const lines = execFileSync(program, ['list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  return new Map(
    lines.map((line) => {
      const [name = '', version = '', pid] = line.split(' ');
      return [name, { version, pid: Number(pid) }];
    }),
  );
}

/** Where and as what a peer is measured. */
export interface PeerAt extends Peer {
  /** Its name in the table. */
  readonly runner: string;
  readonly namespace: string;
  /** Of the steps. */
  readonly image: string;
}

/** What a run, timed by `time`, took of a controller with that process id. */
export async function costOfController(pid: number, time: () => Promise<number>): Promise<Cost> {
  const watch = new ProcessWatch(pid);
  const before = watch.cpuMs;
  const ms = await time();
  const { cpuMs, megabytes } = watch;
  watch.end();
  return { ms, cpuMs: cpuMs - before, megabytes };
}
