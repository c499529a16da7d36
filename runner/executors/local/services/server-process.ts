import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordLeader } from '../attempt-folder.ts';
import { freePort } from '../free-port.ts';
import { startGated } from '../gated-process.ts';
import type { GatedProcess, ProcessEnd } from '../gated-process.ts';
import { killTree, signalGroup } from '../process-tree.ts';
import type { ServicePlan, ServiceSite } from './service-kind.ts';

const stopMs = 5_000;

/** A server on a port that was free when it was started. */
export interface ServerProcess {
  readonly port: number;
  readonly hasEnded: () => boolean;
  readonly ended: Promise<ProcessEnd>;
  /** Asks it to end, waits five seconds, and kills what is left of it. */
  readonly stop: () => Promise<void>;
}

export interface ServerPlace {
  /** Folder of the attempt whose journal the process goes to. */
  readonly root: string;
  readonly marker: string;
  /** File that its output is added to. */
  readonly log: string;
}

export async function startServer(plan: ServicePlan, site: ServiceSite, place: ServerPlace): Promise<ServerProcess> {
  const port = await freePort();
  const output = openSync(place.log, 'a', 0o600);
  const user = site.user === undefined ? {} : { user: site.user };
  const start = { argv: plan.argv(port), cwd: site.folder, env: site.env, marker: place.marker, output, ...user };
  const process = await startGated(start).finally(() => closeSync(output));
  recordLeader(place.root, process.identity);
  process.release();
  let ended = false;
  void process.ended.then(() => (ended = true));
  return {
    port,
    hasEnded: () => ended,
    ended: process.ended,
    stop: async () => {
      if (!ended) await endWithin(stopMs, process, plan.stopSignal);
      await killTree({ marker: place.marker, groups: [process.identity.pid] });
    },
  };
}

async function endWithin(ms: number, process: GatedProcess, signal: NodeJS.Signals): Promise<void> {
  signalGroup(process.identity.pid, signal);
  const ended = new AbortController();
  const late = sleep(ms, undefined, { signal: ended.signal }).catch(() => undefined);
  await Promise.race([process.ended, late]);
  ended.abort();
}
