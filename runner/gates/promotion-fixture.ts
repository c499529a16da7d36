import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalSite } from '../environments/local/local-site.ts';
import { keepRelease } from '../environments/local/release-files.ts';
import type { BackendAccess } from '../environments/local/supervisor-calls.ts';
import { startSupervisor } from '../environments/local/supervisor-fixture.ts';
import type { Release } from '../environments/release.ts';
import { contractService } from '../environments/contract-service-fixture.ts';
import type { Site } from '../environments/site.ts';
import type { Backend } from '../model/backend.ts';
import { systemClock } from '../model/clock.ts';
import { operations } from '../model/operations.ts';
import type { OperationName } from '../model/operations.ts';
import type { OperationContext } from './operation.ts';
import { loadOperation } from './operations.ts';
import { readProduction } from './production.ts';
import type { Production } from './production.ts';
import { recordEvidence, recordMigration, recordRelease } from './records.ts';

/**
 * An app that goes wrong in production as its release says. What comes through the gateway is told by a header, so that it can be well for the health
 * checks before it has traffic. `after` faults begin once the file named by FLAG is there.
 */
const app = `
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
const { FAULT, FLAG, PORT, SLUICE_ENVIRONMENT, SLUICE_RELEASE } = process.env;
const isLive = SLUICE_ENVIRONMENT === 'production';
if (isLive && FAULT === 'start') {
  console.error('production has no such table');
  process.exit(1);
}
let asked = 0;
createServer((request, response) => {
  const fault = isLive && 'x-forwarded-for' in request.headers && (FLAG === undefined || existsSync(FLAG)) ? FAULT : '';
  asked += fault ? 1 : 0;
  if (fault === 'crash') process.exit(1);
  if (fault === 'errors') response.statusCode = 500;
  if (fault === 'some errors' && asked % 2 === 0) response.statusCode = 500;
  setTimeout(() => response.end(SLUICE_RELEASE), fault === 'slow' ? 1_000 : 0);
}).listen(Number(PORT));
process.on('SIGTERM', () => process.exit(0));
`;

const path = ['check-release', 'prepare-production', 'switch-traffic', 'confirm-release'] as const;

export interface PromotionOptions {
  readonly soak?: string;
  readonly branch?: string;
  readonly signal?: AbortSignal;
  readonly say?: (line: string) => unknown;
  /** Called before an operation. */
  readonly before?: (name: OperationName) => unknown;
}

/** What a process of its own needs to carry out the promotion of a run. */
export interface PromotionOrder {
  readonly folder: string;
  readonly backend: Backend;
  readonly access: BackendAccess;
  readonly run: string;
  readonly commit: string;
}

/** What an operation of the promotion of a run works with. */
export function contextOf(order: PromotionOrder, site: Site, options: PromotionOptions = {}): OperationContext {
  const inputs: Readonly<Record<string, string>> = {
    ...operations['prepare-production'].inputs,
    ...operations['switch-traffic'].inputs,
    soak: options.soak ?? '200ms',
  };
  return {
    site,
    run: order.run,
    attempt: 1,
    workspace: '/nowhere',
    commit: order.commit,
    branch: options.branch ?? 'main',
    actor: 'ada',
    input: (name) => inputs[name] ?? '',
    build: () => Promise.reject(new Error('a promotion builds nothing')),
    database: order.access.databases?.production,
    programs: [order.access.programs, process.env['PATH']].join(delimiter),
    backups: join(order.folder, 'backups', order.backend.name),
    say: options.say ?? (() => undefined),
    clock: systemClock,
    signal: options.signal ?? new AbortController().signal,
  };
}

/** Carries out the operations of `promote` for a run, one after the other, on a site that the caller may have put something around. */
export async function promote(order: PromotionOrder, site: Site, options: PromotionOptions = {}): Promise<void> {
  for (const name of path) {
    options.before?.(name);
    await (
      await loadOperation(name)
    )(contextOf(order, site, options));
  }
}

/** Answers of production, asked all the time. */
export interface Traffic {
  /** What was answered, in order; what came several times in a row is there once. */
  stop(): Promise<readonly string[]>;
}

export interface PromotionBackend {
  readonly site: LocalSite;
  /** Puts a release on record, tested, and answers the order that promotes it. */
  tested(
    env?: Readonly<Record<string, string>>,
    migration?: Parameters<typeof recordMigration>[2],
  ): Promise<PromotionOrder>;
  production(): Promise<Production>;
  /** Names of the releases that run in production. */
  running(): Promise<readonly string[]>;
  traffic(): Traffic;
}

export interface PromotionMachine {
  /** For files of tests. */
  readonly folder: string;
  backend(name: string, database?: Backend['database']): Promise<PromotionBackend>;
  close(): Promise<void>;
}

/** A machine with a supervisor, on which apps are deployed whose faults are known. */
export async function startMachine(): Promise<PromotionMachine> {
  const supervisor = await startSupervisor();
  const files = mkdtempSync(join(tmpdir(), 'sluice-app-'));
  const folder = mkdtempSync(join(tmpdir(), 'sluice-trace-'));
  const flows: Traffic[] = [];
  writeFileSync(join(files, 'server.mjs'), app);
  const image = await keepRelease(supervisor.releases, files, 'node-24', AbortSignal.timeout(10_000));
  return {
    folder,
    backend: async (name, database) => {
      const backend: Backend = { name, services: [contractService], ...(database && { database }) };
      const access = await supervisor.client.ensure({ backend, repository: name });
      const place = { folder: supervisor.folder, backend, access };
      const site = new LocalSite(place);
      let count = 0;
      return {
        site,
        tested: async (env = {}, migration) => {
          count += 1;
          const run = `run-${count}`;
          const origin = { run, commit: String(count).padStart(40, '0'), branch: 'main', actor: 'ada' };
          const services = [{ ...contractService, image, env }];
          const release = await recordRelease(site, { ...origin, createdAt: new Date().toISOString(), services });
          await prove(site, release, count === 1 ? undefined : migration?.fingerprint);
          if (migration !== undefined) await recordMigration(site, run, migration);
          return { ...place, run, commit: origin.commit };
        },
        production: async () => (await readProduction(site)).production,
        running: async () => {
          const views = await supervisor.client.list();
          const view = views.find((each) => each.backend === name && each.environment === 'production');
          return (view?.releases ?? []).map(({ release }) => release).toSorted();
        },
        traffic: () => {
          const traffic = trafficOf(site);
          flows.push(traffic);
          return traffic;
        },
      };
    },
    close: async () => {
      for (const flow of flows) await flow.stop();
      await supervisor.remove();
      for (const each of [files, folder]) rmSync(each, { recursive: true, force: true });
    },
  };
}

/** As `run-tests` does it. */
async function prove(site: Site, { name, run, commit }: Release, schema: string | undefined): Promise<void> {
  const passedAt = new Date().toISOString();
  const schemas = schema === undefined ? [] : [schema];
  await recordEvidence(site, { release: name, run, commit, passedAt, script: 'true', schemas });
}

function trafficOf(site: Site): Traffic {
  const seen: string[] = [];
  const over = new AbortController();
  const ask = async (): Promise<void> => {
    const answer = await site.ask('production', '/');
    const told = `${answer?.status ?? 'nothing'} ${answer?.release ?? ''}`.trim();
    if (seen.at(-1) !== told) seen.push(told);
  };
  const asking = (async () => {
    while (!over.signal.aborted) {
      await ask();
      await sleep(20);
    }
    // What was asked before may have been answered by a release that is not live any more.
    await ask();
  })();
  return {
    stop: async () => {
      over.abort();
      await asking;
      return seen;
    },
  };
}
