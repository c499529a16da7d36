/** Labels of a pod and of its namespace, as selectors of policies see them; an address outside of the cluster has none. */
export interface Peer {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  /** Of an address outside of the cluster. */
  readonly address?: string;
}

export interface Target extends Peer {
  readonly port: number;
  readonly protocol?: 'TCP' | 'UDP';
}

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

interface PeerRule {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Rule {
  readonly from?: readonly PeerRule[];
  readonly to?: readonly PeerRule[];
  readonly ports?: readonly { readonly port?: number; readonly protocol?: string }[];
}

/** networking.k8s.io/v1, as far as backends use it. */
export interface NetworkPolicy {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly ('Ingress' | 'Egress')[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

/**
 * Whether one may open a connection to the other by the policies alone, as the specification of NetworkPolicy has it: both sides have to allow it, and a
 * side that no policy selects allows everything.
 */
export function mayConnect(policies: readonly NetworkPolicy[], from: Peer, to: Target): boolean {
  return allows(policies, 'Egress', from, to, to) && allows(policies, 'Ingress', to, from, to);
}

function allows(
  policies: readonly NetworkPolicy[],
  type: 'Ingress' | 'Egress',
  own: Peer,
  other: Peer,
  { port, protocol = 'TCP' }: Target,
): boolean {
  const about = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === own.namespace &&
      spec.policyTypes.includes(type) &&
      own.labels !== undefined &&
      selects(spec.podSelector, own.labels),
  );
  if (about.length === 0) return true;
  const rules = about.flatMap(({ spec }) => (type === 'Ingress' ? spec.ingress : spec.egress) ?? []);
  return rules.some(({ from, to, ports }) => {
    const peers = type === 'Ingress' ? from : to;
    const fitsPort =
      ports === undefined ||
      ports.some((wanted) => (wanted.port ?? port) === port && (wanted.protocol ?? 'TCP') === protocol);
    return fitsPort && (peers === undefined || peers.some((peer) => isPeer(peer, other, own.namespace ?? '')));
  });
}

function isPeer({ podSelector, namespaceSelector, ipBlock }: PeerRule, other: Peer, ownNamespace: string): boolean {
  if (ipBlock !== undefined) {
    const { address } = other;
    const isIn = (cidr: string): boolean => address !== undefined && inBlock(address, cidr);
    return isIn(ipBlock.cidr) && !(ipBlock.except ?? []).some(isIn);
  }
  if (other.namespace === undefined || other.labels === undefined) return false;
  const namespaceFits =
    namespaceSelector === undefined
      ? other.namespace === ownNamespace
      : selects(namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace });
  return namespaceFits && (podSelector === undefined || selects(podSelector, other.labels));
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      return operator === 'In'
        ? value !== undefined && values.includes(value)
        : value === undefined || !values.includes(value);
    })
  );
}

function inBlock(address: string, cidr: string): boolean {
  const [base = '', bits = '32'] = cidr.split('/');
  const shift = 32n - BigInt(bits);
  return numberOf(address) >> shift === numberOf(base) >> shift;
}

function numberOf(address: string): bigint {
  return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}
