import { messageOf } from '../../../model/errors.ts';
import type { PlanService } from '../../../model/plan.ts';
import type { ServiceAddress } from '../../executor.ts';
import { AttemptEnded } from '../../../model/attempt-ended.ts';
import { kindOf } from './service-kinds.ts';
import { startService } from './start-service.ts';
import type { RunningService, ServiceHost } from './start-service.ts';

export interface RunningServices {
  readonly addresses: Readonly<Record<string, ServiceAddress>>;
  /** Aborted with a sentence when the first of them has ended. */
  readonly lost: AbortSignal;
  /** Ends them and removes their data. */
  readonly stop: () => Promise<void>;
}

/** Starts all services of a step side by side and waits until each is ready; when one is not, all are ended again. */
export async function startServices(services: readonly PlanService[], host: ServiceHost): Promise<RunningServices> {
  const starts = await Promise.allSettled(services.map((service) => startOne(service, host)));
  const running = starts.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((service) => service.stop()));
  };
  const failed = starts.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const lost = new AbortController();
  for (const { ended } of running) void ended.then((sentence) => lost.abort(sentence));
  const addresses = Object.fromEntries(running.map(({ name, address }) => [name, address]));
  return { addresses, lost: lost.signal, stop };
}

async function startOne(service: PlanService, host: ServiceHost): Promise<RunningService> {
  const kind = kindOf(service);
  if (kind === undefined)
    throw new AttemptEnded('unsupported', `service "${service.name}": ${service.image} is not known`);
  try {
    return await startService(kind, service, host);
  } catch (error) {
    if (host.signal.aborted) throw error;
    throw new AttemptEnded('service_failed', `service "${service.name}": ${messageOf(error)}`);
  }
}
