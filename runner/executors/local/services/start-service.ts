import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../../model/errors.ts';
import type { PlanService } from '../../../model/plan.ts';
import type { AttemptContext, ServiceAddress } from '../../executor.ts';
import { exitCodeInWords } from '../../exit-code.ts';
import { partMarker, recordFolder } from '../attempt-folder.ts';
import type { AttemptFolder } from '../attempt-folder.ts';
import type { ProcessEnd } from '../gated-process.ts';
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
  /** How it ended, as a sentence about it; settles when it does, whoever ended it. */
  readonly ended: Promise<string>;
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
      if (server.hasEnded()) await showLog(service, host);
      await server.stop();
      await removeTree(data);
    };
    const ended = server.ended.then((end) => `service "${service.name}" ${endingOf(end)} while the step needed it`);
    return { name: service.name, address: plan.address(server.port), ended, stop };
  } catch (error) {
    await removeTree(data);
    throw error;
  }
}

function endingOf(end: ProcessEnd): string {
  return 'signal' in end ? `was killed by ${end.signal}` : `ended with ${exitCodeInWords(end.code)}`;
}

const logOf = ({ root }: AttemptFolder, { name }: PlanService): string => join(root, `service-${name}.log`);

const lastLines = (path: string): string =>
  readFileSync(path, 'utf8').trimEnd().split('\n').slice(-shownLines).join('\n');

/** Adds the last lines of a service to the log of its step. */
async function showLog(service: PlanService, { folder, context }: ServiceHost): Promise<void> {
  const tail = lastLines(logOf(folder, service));
  await context.log.write(Buffer.from(`--- last lines of service ${service.name}\n${tail}\n---\n`));
}

/** A free port may be taken by somebody else before the server gets there: then another one is tried. */
async function startUntilReady(
  plan: ServicePlan,
  service: PlanService,
  site: ServiceSite,
  host: ServiceHost,
): Promise<ServerProcess> {
  const { folder } = host;
  const marker = partMarker(folder, `service/${service.name}`);
  const place: ServerPlace = { root: folder.root, marker, log: logOf(folder, service) };
  for (let tries = 1; ; tries += 1) {
    const server = await startServer(plan, site, place);
    try {
      await waitUntilReady(server, plan, service, site);
      return server;
    } catch (error) {
      await server.stop();
      if (tries < portTries && /address (already )?in use/i.test(lastLines(place.log))) continue;
      await showLog(service, host);
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
