import type { PlanService } from '../../../model/plan.ts';
import type { ServiceAddress } from '../../executor.ts';

/** Where a service of one attempt is made. */
export interface ServiceSite {
  /** Exists, and is writable for `user`. */
  readonly folder: string;
  /** Downloaded programs; readable for `user`. */
  readonly cache: string;
  readonly env: Readonly<Record<string, string>>;
  /** The user that the service has to run as; undefined for the runner's own. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly signal: AbortSignal;
}

/** A service that can be started, any number of times until one start succeeds. */
export interface ServicePlan {
  /** Which program, which version, and how that differs from what was asked for. */
  readonly note: string;
  readonly argv: (port: number) => readonly string[];
  readonly address: (port: number) => ServiceAddress;
  /** Whether it answers in its own protocol. */
  readonly answers: (port: number) => Promise<boolean>;
  /** Variables that lead its usual clients to it. Without them the `ready` command would ask elsewhere, and is not run. */
  readonly clientEnv?: (port: number) => Readonly<Record<string, string>>;
  /** Asks it to end now, cleanly. */
  readonly stopSignal: NodeJS.Signals;
}

/** One kind of service: all that this room knows about it. Its line stands in service-kinds.ts. */
export interface ServiceKind {
  /** Last part of the names of its images. */
  readonly images: readonly string[];
  /** Everything that comes before the start. Throws SluiceError ERR_SERVICE, which names the next step. */
  prepare(service: PlanService, site: ServiceSite): Promise<ServicePlan>;
}
