import { networkInterfaces } from 'node:os';

/** The address of this machine that others most likely reach it at: the first of IPv4 that is not its own loopback. */
export function reachableAddress(): string {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
    // Bridges of container runtimes are addresses of this machine, but not the ones it is known by.
    /^(cni|docker|br-|veth|virbr)/.test(name) ? [] : list,
  );
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
