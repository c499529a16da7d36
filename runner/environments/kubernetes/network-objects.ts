import { isIP } from 'node:net';
import type { Draft, OtherObject } from '../../cluster/objects.ts';
import type { Json } from '../../model/json.ts';
import type { PreviewName } from '../../model/backend.ts';
import type { EnvironmentName } from '../release.ts';
import { databasePort } from './database-objects.ts';
import { labels, managed } from './names.ts';

const dns: Json = {
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};

/** Pods of steps, whatever they run. */
const steps: Json = { matchExpressions: [{ key: 'sluice.dev/attempt', operator: 'Exists' }] };

/** Every address that is not one of a private network, such as those of pods, nodes and metadata services. */
const internet: Json = {
  ipBlock: {
    cidr: '0.0.0.0/0',
    except: ['10.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'],
  },
};

/**
 * Who may talk to whom in the namespace of a backend: nobody, but for what is listed here. Testing and production have no way to each
 * other (R000-8). Steps may reach out, as they install packages and fetch what they test with; nobody reaches them.
 */
export function networkPoliciesOf(gatewayNamespace: string): readonly Draft<OtherObject>[] {
  const gateway = gatewayOf(gatewayNamespace);
  return [
    policy('default-deny', {}, { policyTypes: ['Ingress', 'Egress'] }),
    policy('steps', steps, { policyTypes: ['Egress'], egress: [{}] }),
    ...(['testing', 'production'] as const).flatMap((environment) => pairOf(environment, gateway)),
  ];
}

/**
 * The ways of a preview: those of a pair, but that its database is in the server of the testing environment. Neither of the two reaches the app of the other, and the
 * roles of a preview get into no database but its own.
 */
export function previewPolicies(environment: PreviewName, gatewayNamespace: string): readonly Draft<OtherObject>[] {
  const gateway = gatewayOf(gatewayNamespace);
  const own: Json = { podSelector: { matchLabels: { [labels.environment]: environment } } };
  const ports: Json = [{ protocol: 'TCP', port: databasePort }];
  return [
    policy(`${environment}-app`, appOf(environment), {
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [gateway, own] }],
      egress: [dns, { to: [own, gateway, internet] }, { to: [{ podSelector: databaseOf('testing') }], ports }],
    }),
    policy(`${environment}-database`, databaseOf('testing'), {
      policyTypes: ['Ingress'],
      ingress: [{ from: [own], ports }],
    }),
  ].map(({ metadata, ...rest }) => ({
    ...rest,
    metadata: { ...metadata, labels: { ...managed, [labels.environment]: environment } },
  }));
}

/** The way of apps and tasks to a database outside. Policies know no names: where the address is one, every host has that port open. */
export function externalPolicy(environment: EnvironmentName, { hostname, port }: URL): Draft<OtherObject> {
  const ports: Json = [{ protocol: 'TCP', port: port === '' ? databasePort : Number(port) }];
  return policy(`${environment}-external-database`, appOf(environment), {
    policyTypes: ['Egress'],
    egress: [{ to: addressesOf(hostname).map((cidr) => ({ ipBlock: { cidr } })), ports }],
  });
}

/** Of a host as addresses have it; all of both families for a name. */
function addressesOf(hostname: string): readonly string[] {
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) === 0) return ['0.0.0.0/0', '::/0'];
  return [`${address}/${isIP(address) === 4 ? 32 : 128}`];
}

function gatewayOf(namespace: string): Json {
  return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
}

function appOf(environment: EnvironmentName): Json {
  return {
    matchLabels: { [labels.environment]: environment },
    matchExpressions: [{ key: labels.role, operator: 'In', values: ['app', 'task'] }],
  };
}

function databaseOf(environment: EnvironmentName): Json {
  return { matchLabels: { [labels.environment]: environment, [labels.role]: 'database' } };
}

function pairOf(environment: EnvironmentName, gateway: Json): readonly Draft<OtherObject>[] {
  const peers: Json = { podSelector: { matchLabels: { [labels.environment]: environment } } };
  return [
    policy(`${environment}-app`, appOf(environment), {
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [gateway, peers] }],
      egress: [dns, { to: [peers, gateway, internet] }],
    }),
    policy(`${environment}-database`, databaseOf(environment), {
      policyTypes: ['Ingress'],
      ingress: [{ from: [peers], ports: [{ protocol: 'TCP', port: databasePort }] }],
    }),
  ];
}

function policy(name: string, podSelector: Json, rules: Readonly<Record<string, Json>>): Draft<OtherObject> {
  return { metadata: { name, labels: managed }, spec: { podSelector, ...rules } };
}
