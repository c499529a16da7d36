import type { ServiceCheck } from '../../agent/protocol.ts';
import { imageReference } from '../../model/own-images.ts';
import type { PlanService, RunStep } from '../../model/plan.ts';
import type { ServiceAddress } from '../executor.ts';
import { parseImage } from '../image-name.ts';
import { accountOf, postgresUrl } from '../postgres-account.ts';
import type { KubernetesSettings } from './settings.ts';

/** A service of a step as a container of its pod: the step reaches it at 127.0.0.1. */
export interface PodService {
  readonly name: string;
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** A command in its container that exits 0 once it can be used. */
  readonly ready?: string;
  readonly address: ServiceAddress;
  readonly check: ServiceCheck;
}

type Particulars = Pick<PodService, 'env' | 'args' | 'address' | 'check'>;

/** What is known of the usual images; the port is theirs unless the service names another. */
const kinds: ReadonlyMap<string, (service: PlanService) => Particulars> = new Map([
  ['postgres', postgres],
  ['redis', redis],
  ['valkey', redis],
]);

/** The services of a step; ports are shared in a pod, so each must have its own. */
export function podServices({ services }: RunStep, settings: KubernetesSettings): readonly PodService[] {
  return services.map((service) => ({
    name: service.name,
    image: imageReference(settings.images, service.image),
    ...(service.ready !== undefined && { ready: service.ready }),
    ...particulars(service),
  }));
}

/** A sentence on why the services of a step cannot run beside it. */
export function serviceConflict(step: RunStep): string | undefined {
  const taken = new Map<number, string>();
  for (const service of step.services) {
    if (kindOf(service) === undefined && service.port === undefined) {
      return `service "${service.name}": ${service.image} is not known; say on which \`port\` it listens`;
    }
    const { port } = particulars(service).address;
    const other = taken.get(port);
    if (other !== undefined) return `services "${other}" and "${service.name}" both listen on port ${port}`;
    taken.set(port, service.name);
  }
  return undefined;
}

function kindOf({ image }: PlanService): ((service: PlanService) => Particulars) | undefined {
  return kinds.get(parseImage(image).name);
}

function particulars(service: PlanService): Particulars {
  return (kindOf(service) ?? unknown)(service);
}

/** The official images of PostgreSQL and Redis run as any user. */
function postgres({ name, env, port = 5432 }: PlanService): Particulars {
  const account = accountOf(env);
  const open = account.password === undefined ? { POSTGRES_HOST_AUTH_METHOD: 'trust' } : {};
  return {
    env: { ...open, PGPORT: String(port), ...env },
    args: ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off'],
    address: { host: '127.0.0.1', port, url: postgresUrl(account, port) },
    check: { name, port, protocol: 'postgres', user: account.user, database: account.database },
  };
}

function redis({ name, env, port = 6379 }: PlanService): Particulars {
  return {
    env,
    args: ['--port', String(port), '--save', '', '--appendonly', 'no'],
    address: { host: '127.0.0.1', port, url: `redis://127.0.0.1:${port}` },
    check: { name, port, protocol: 'redis' },
  };
}

function unknown({ name, env, port = 0 }: PlanService): Particulars {
  return {
    env,
    args: [],
    address: { host: '127.0.0.1', port, url: `tcp://127.0.0.1:${port}` },
    check: { name, port, protocol: 'tcp' },
  };
}
