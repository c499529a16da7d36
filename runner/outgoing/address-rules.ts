import { BlockList, isIP } from 'node:net';

/** Hosts as they stand in addresses, with the port unless it is the usual one: `hooks.example`, `git.local:3000`. */
export interface AddressRules {
  readonly hosts: readonly string[];
  /** Those that may be in a private network or on this machine; they need not stand in `hosts` too. */
  readonly privateHosts: readonly string[];
}

/** Nobody's receiver: no address, this link (cloud metadata among it), many at once. */
const never = blockList(
  ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4'],
  ['::/128', 'fe80::/10', 'ff00::/8'],
);

/** Networks that are not the internet, and IPv6 addresses that carry an IPv4 address in them. Source: IANA's registries. */
const internal = blockList(
  [
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '172.16.0.0/12',
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
  ],
  [
    '::1/128',
    '64:ff9b::/96',
    '64:ff9b:1::/48',
    '100::/64',
    '2001::/23',
    '2001:db8::/32',
    '2002::/16',
    'fc00::/7',
    'fec0::/10',
  ],
);

/** Why nothing may be sent to this address; undefined when it may, and then only after its addresses were judged too. */
export function forbiddenUrl(url: URL, { hosts, privateHosts }: AddressRules): string | undefined {
  if (!/^https?:$/.test(url.protocol)) return `${url.protocol} is neither http nor https`;
  if (url.username !== '' || url.password !== '') return 'the address has credentials in it';
  if (!hosts.includes(url.host) && !privateHosts.includes(url.host))
    return `${url.host} is not among the configured hosts`;
  const literal = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(literal) === 0 ? undefined : forbiddenAddress(literal, privateHosts.includes(url.host));
}

/** Why no connection to this IP address may be opened. */
export function forbiddenAddress(address: string, mayBePrivate: boolean): string | undefined {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (never.check(address, family)) return `${address} is no address of a host`;
  if (!mayBePrivate && internal.check(address, family)) return `${address} is in a private network`;
  return undefined;
}

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  for (const [family, subnets] of [
    ['ipv4', ipv4],
    ['ipv6', ipv6],
  ] as const) {
    for (const subnet of subnets) {
      const [network = '', prefix] = subnet.split('/');
      list.addSubnet(network, Number(prefix), family);
    }
  }
  return list;
}
