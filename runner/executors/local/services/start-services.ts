import type { ServiceAddress } from '../../executor.ts';

export interface RunningServices {
  readonly addresses: Readonly<Record<string, ServiceAddress>>;
  stop(): Promise<void>;
}

export function startServices(): Promise<RunningServices> {
  return Promise.resolve({ addresses: {}, stop: () => Promise.resolve() });
}
