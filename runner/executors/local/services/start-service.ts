import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../../model/errors.ts';
import type { PlanService } from '../../../model/plan.ts';
import type { AttemptContext, ServiceAddress } from '../../executor.ts';
import { partMarker, recordFolder } from '../attempt-folder.ts';
import type { AttemptFolder } from '../attempt-folder.ts';
import { removeTree } from '../remove-tree.ts';
import { runReadyCommand } from './ready-command.ts';
import { startServer } from './server-process.ts';
import type { ServerPlace, ServerProcess } from './server-process.ts';
import type { ServiceKind, ServicePlan, ServiceSite } from './service-kind.ts';
import { dataFolder, reachableCache, serviceUser } from './service-user.ts';

/** What all services of an attempt are started with. */
export interface ServiceHost {
  readonly folder: AttemptFolder;
  /** Holds downloaded programs. */
  readonly cache: string;
  /** What programs see. */
  readonly env: Readonly<Record<string, string>>;
  readonly context: AttemptContext;
  readonly signal: AbortSignal;
}

export interface RunningService {
  readonly name: string;
  readonly address: ServiceAddress;
  /** Ends it and removes its data. */
  readonly stop: () => Promise<void>;
}

const readyMs = 60_000;
const portTries = 3;
const shownLines = 20;

/** Brings one service up. Throws SluiceError ERR_SERVICE when it cannot be; the last lines of its log go to the step's. */
export async function startService(
  kind: ServiceKind,
  service: PlanService,
  host: ServiceHost,
): Promise<RunningService> {
  const { folder, context, signal } = host;
  const user = serviceUser();
  const data = dataFolder(folder.root, `service-${service.name}`, user);
  recordFolder(folder.root, data);
  try {
    const cache = reachableCache(host.cache, user);
    const site = { folder: data, cache, env: { ...host.env, HOME: data, TMPDIR: data }, user, signal };
    const plan = await kind.prepare(service, site);
    const server = await startUntilReady(plan, service, site, host);
    context.note(`service ${service.name}: ${plan.note}`);
    const stop = async (): Promise<void> => {
      if (server.hasEnded()) context.note(`service ${service.name} ended before the step did`);
      await server.stop();
      await removeTree(data);
    };
    return { name: service.name, address: plan.address(server.port), stop };
  } catch (error) {
    await removeTree(data);
    throw error;
  }
}

/** A free port may be taken by somebody else before the server gets there: then another one is tried. */
async function startUntilReady(
  plan: ServicePlan,
  service: PlanService,
  site: ServiceSite,
  { folder, context }: ServiceHost,
): Promise<ServerProcess> {
  const place: ServerPlace = {
    root: folder.root,
    marker: partMarker(folder, `service/${service.name}`),
    log: join(folder.root, `service-${service.name}.log`),
  };
  for (let tries = 1; ; tries += 1) {
    const server = await startServer(plan, site, place);
    try {
      await waitUntilReady(server, plan, service, site);
      return server;
    } catch (error) {
      await server.stop();
      const tail = readFileSync(place.log, 'utf8').trimEnd().split('\n').slice(-shownLines).join('\n');
      if (tries < portTries && /address (already )?in use/i.test(tail)) continue;
      await context.log.write(Buffer.from(`--- last lines of service ${service.name}\n${tail}\n---\n`));
      throw error;
    }
  }
}

async function waitUntilReady(
  server: ServerProcess,
  plan: ServicePlan,
  { ready }: PlanService,
  site: ServiceSite,
): Promise<void> {
  const deadline = performance.now() + readyMs;
  while (!(await isReady(server.port, plan, ready, site))) {
    site.signal.throwIfAborted();
    if (server.hasEnded())
      throw new SluiceError('ERR_SERVICE', 'it ended before it was ready; the log has its last lines');
    if (performance.now() > deadline) throw new SluiceError('ERR_SERVICE', notReady(plan, ready));
    await sleep(25);
  }
}

function notReady({ clientEnv }: ServicePlan, ready: string | undefined): string {
  const asked = ready === undefined || clientEnv === undefined ? '' : `, or \`${ready}\` did not end with 0`;
  return `for a minute it did not answer${asked}`;
}

async function isReady(
  port: number,
  plan: ServicePlan,
  ready: string | undefined,
  site: ServiceSite,
): Promise<boolean> {
  if (!(await plan.answers(port))) return false;
  return ready === undefined || plan.clientEnv === undefined || runReadyCommand(ready, plan.clientEnv(port), site);
}
