import { BlockList, isIP } from 'node:net';
import { RegistryError } from './registry-error.ts';

/** Hosts, with port, that are spoken to in plain HTTP; those of this machine always are. */
export type PlainHttp = readonly string[];

/** Address of a registry's API, by the rule which hosts speak plain HTTP. */
export function registryUrl(host: string, plainHttp: PlainHttp): URL {
  const address = host === 'docker.io' ? 'registry-1.docker.io' : host;
  const secure = URL.parse(`https://${address}`);
  if (!secure) throw new RegistryError('unsafe_address', `${host} is no address of a registry`);
  return isPlain(secure, plainHttp) ? new URL(`http://${address}`) : secure;
}

/** Refuses plain HTTP to hosts that are not meant to speak it, and everything that is no HTTP. */
export function checkAddress(url: URL, plainHttp: PlainHttp): void {
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isPlain(url, plainHttp))) return;
  throw new RegistryError('unsafe_address', `${url.origin} would be spoken to without TLS`, {
    hint: `If that is meant, list the host in SLUICE_PLAIN_HTTP_REGISTRIES: ${url.host}`,
  });
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isPlain({ hostname, host }: URL, plainHttp: PlainHttp): boolean {
  const literal = hostname.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(literal);
  return (
    hostname === 'localhost' ||
    plainHttp.includes(host) ||
    (version !== 0 && loopback.check(literal, version === 6 ? 'ipv6' : 'ipv4'))
  );
}
