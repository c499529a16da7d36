import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import PQueue from 'p-queue';
import { imageOf, kubectl, waitFor } from '../../cluster/test-cluster.ts';
import { AuditLog } from './audit-log.ts';
import { checkCluster } from './check-cluster.ts';
import type { ClusterHistory, Expected } from './check-cluster.ts';
import { recordHistory } from './histories.ts';
import { readHome } from './read-home.ts';
import { PodRecorder } from './recorder.ts';
import { Runner } from './runner-process.ts';

/** Two cores carry a few runs that work at once. */
const mostAtOnce = 5;
const orphanSeconds = 120;

interface Effect {
  readonly runId: string;
  readonly step: string;
  readonly attempt: number;
}

export interface SitePipeline extends Omit<Expected, 'costs'> {
  /** Gets the command that a step tells with that it really runs. */
  readonly text: (effect: string) => string;
}

/** A namespace with everything that watches over it from outside: audit log, pods, and what commands say themselves. */
export class FaultSite {
  readonly namespace: string;
  readonly audit: AuditLog;
  readonly recorder: PodRecorder;
  readonly slots: PQueue;
  readonly #effects: Effect[] = [];
  readonly #witness: Server;

  private constructor(namespace: string, witness: Server, clusterHome: string, atOnce: number) {
    this.slots = new PQueue({ concurrency: atOnce });
    this.namespace = namespace;
    this.#witness = witness;
    this.audit = new AuditLog(clusterHome, namespace);
    this.recorder = new PodRecorder(namespace);
    witness.on('connection', (socket) => void this.#hear(socket).catch(() => undefined));
  }

  static async open(clusterHome: string, atOnce = mostAtOnce): Promise<FaultSite> {
    const namespace = `faults-${randomBytes(4).toString('hex')}`;
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await kubectl(['create', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels },
    });
    await waitFor(['serviceaccount/default', '-n', namespace], 'create');
    const witness = createServer();
    await new Promise<void>((resolve) => witness.listen(0, '0.0.0.0', resolve));
    return new FaultSite(namespace, witness, clusterHome, atOnce);
  }

  async close(): Promise<void> {
    await this.recorder.close();
    this.#witness.close();
    await kubectl(['delete', 'namespace', this.namespace, '--wait=false']);
  }

  /** A machine with a repository and a data folder of its own. `env` is added to that of every runner on it. */
  async machine(pipeline: SitePipeline, env: NodeJS.ProcessEnv = {}): Promise<Machine> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-fault-'));
    const { port } = this.#witness.address() as AddressInfo;
    const effect = `echo $SLUICE_RUN $SLUICE_STEP $SLUICE_ATTEMPT | nc -w 20 ${ownAddress()} ${port}`;
    await mkdir(join(folder, 'repository'));
    await writeFile(join(folder, 'repository', 'sluice.yaml'), pipeline.text(effect));
    await promisify(execFile)('git', ['init', '-q', join(folder, 'repository')]);
    return new Machine(this, folder, pipeline, env);
  }

  async #hear(socket: Socket): Promise<void> {
    for await (const line of createInterface({ input: socket })) {
      const [runId = '', step = '', attempt] = line.split(' ');
      this.#effects.push({ runId, step, attempt: Number(attempt) });
      socket.end();
    }
  }

  effectsOf(runId: string): readonly Effect[] {
    return this.#effects.filter((effect) => effect.runId === runId);
  }
}

/** What was done to a run may cost attempts, and may change how its steps end. */
export type Faults = Pick<Expected, 'costs'> & Partial<Pick<Expected, 'ends'>>;

export class Machine {
  readonly home: string;
  readonly runners: Runner[] = [];
  readonly #site: FaultSite;
  readonly #folder: string;
  readonly #expected: SitePipeline;
  readonly #env: NodeJS.ProcessEnv;

  constructor(site: FaultSite, folder: string, expected: SitePipeline, env: NodeJS.ProcessEnv) {
    this.#site = site;
    this.#folder = folder;
    this.#expected = expected;
    this.#env = env;
    this.home = join(folder, 'home');
  }

  /** That begins at once. */
  get firstStep(): string {
    return Object.keys(this.#expected.needs)[0] ?? '';
  }

  start(): Runner {
    return this.sluice(['run', join(this.#folder, 'repository')]);
  }

  resume(runId: string): Runner {
    return this.sluice(['resume', runId]);
  }

  sluice(args: readonly string[]): Runner {
    const runner = new Runner([...args, '--json', '--executor', 'kubernetes'], {
      ...process.env,
      SLUICE_HOME: this.home,
      SLUICE_NAMESPACE: this.#site.namespace,
      SLUICE_IMAGE_PREFIX: imageOf('busybox').replace(/busybox:.*$/, ''),
      SLUICE_AGENT_IMAGE: imageOf('agent'),
      ...this.#env,
    });
    this.runners.push(runner);
    return runner;
  }

  /** What is broken by all that is known of the run from outside. */
  async check(runId: string, faults: Faults): Promise<readonly string[]> {
    const history = await this.#history(runId, faults);
    if (process.env['RECORD_HISTORY'] !== undefined) recordHistory(process.env['RECORD_HISTORY'], history);
    return checkCluster(history);
  }

  async #history(runId: string, faults: Faults): Promise<ClusterHistory> {
    const leftovers = await this.#leftovers();
    const { audit, recorder } = this.#site;
    const acknowledged = this.runners.flatMap((runner) => runner.told).filter((line) => line.runId === runId);
    const { needs, strict, lines, ends, canaries } = this.#expected;
    return {
      ...{ needs, strict, lines, ends, canaries },
      ...faults,
      ...readHome(this.home, runId),
      runId,
      acknowledged: acknowledged.flatMap(({ event }) => (event ? [event] : [])),
      writes: audit.read().filter(({ name }) => name.startsWith(`r-${runId}-`)),
      pods: [...recorder.pods, ...audit.pods].filter(({ job }) => job.startsWith(`r-${runId}-`)),
      effects: this.#site.effectsOf(runId),
      leftovers,
    };
  }

  async close(): Promise<void> {
    for (const runner of this.runners) await runner.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #leftovers(): Promise<readonly string[]> {
    const owner = await readFile(join(this.home, 'installation-id'), 'utf8');
    const selection = ['-n', this.#site.namespace, '-l', `sluice.dev/owner=${owner}`];
    for (let second = 0; ; second += 1) {
      const names = (await kubectl(['get', 'jobs,pods,secrets', ...selection, '-o', 'name']))
        .split('\n')
        .filter(Boolean);
      if (names.length === 0 || second >= orphanSeconds) return names;
      await sleep(1_000);
    }
  }
}

/** Of this machine, as pods of a cluster on it reach it. */
export function ownAddress(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
    /^(cni|docker|br-|veth|virbr)/.test(name) ? [] : list,
  );
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
