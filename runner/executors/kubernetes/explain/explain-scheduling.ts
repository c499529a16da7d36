import type { Pod } from '../../../cluster/objects.ts';
import { quantity } from '../../../model/quantity.ts';
import { shorten } from './shorten.ts';
import type { Trouble } from './trouble.ts';

/** Faults of a claim that the scheduler tells about, whatever the nodes are like. */
const claimFaults =
  /persistentvolumeclaim "[^"]*" (?:not found|is being deleted|bound to non-existent)|unbound immediate PersistentVolumeClaims/;

/** What the scheduler counts nodes by, and how we say it with that count. */
const filters: readonly (readonly [RegExp, (nodes: string, pod: Pod, detail: string) => string])[] = [
  [/^Insufficient (\S+)$/, (nodes, pod, resource) => `${nodes} too little ${resource} left (${needOf(pod, resource)})`],
  [/^Too many pods$/, (nodes) => `${nodes} as many pods as may run there`],
  [
    /^node\(s\) had untolerated taints? ?(?:\(s\))? ?\{(.*)\}$/,
    (nodes, _pod, taint) => `${nodes} the taint ${taintInWords(taint)}`,
  ],
  [/^node\(s\) had untolerated taint\(s\)$/, (nodes) => `${nodes} taints that the pod does not tolerate`],
  [/^node\(s\) were unschedulable$/, (nodes) => `${nodes} been closed to new pods (cordoned)`],
  [/^node\(s\) didn't match Pod's node affinity\/selector$/, (nodes, pod) => `${nodes} other labels${selectorOf(pod)}`],
  [
    /^node\(s\) had volume node affinity conflict$|^node\(s\) didn't match PersistentVolume's node affinity$/,
    (nodes) => `${nodes} no access to the volume`,
  ],
  [/^node\(s\) exceed max volume count$/, (nodes) => `${nodes} as many volumes as can be attached there`],
  [/^node\(s\) didn't have free ports for the requested pod ports$/, (nodes) => `${nodes} the port in use`],
  [/^node\(s\) (.*)$/, (nodes, _pod, words) => `${nodes} the fault: ${words}`],
];

/** The scheduler's message as a sentence that names what is missing: resource, taint, label, volume or the limit of pods. */
export function explainScheduling(pod: Pod, words: string): Trouble {
  const text = words.replace(/\s+/g, ' ').trim();
  const claim = claimFaults.exec(text)?.[0];
  if (claim !== undefined) return { reason: 'volume', message: claim, hope: 'later' };
  const found = /^\d+\/(\d+) nodes are available: (.*?)\.?(?: (?:no new claims|preemption:).*)?$/.exec(text);
  const [, total = '', causes = ''] = found ?? [];
  const message = found ? sentence(pod, total, causes) : plain(text);
  return { reason: 'unschedulable', message: shorten(message), hope: 'later' };
}

function plain(text: string): string {
  return text.includes('no nodes available') ? 'the cluster has no node' : text;
}

function sentence(pod: Pod, total: string, causes: string): string {
  const parts = splitCauses(causes).map((cause) => causeInWords(pod, cause));
  return `no node fits (${total} in all): ${parts.join('; ')}`;
}

/** Causes are divided by commas, and a taint in braces may hold some too. */
function splitCauses(causes: string): readonly string[] {
  return causes.split(/, (?=\d+ )/);
}

function causeInWords(pod: Pod, cause: string): string {
  const [, count = '', text = cause] = /^(\d+) (.*)$/.exec(cause) ?? [];
  const nodes = `${count} ${count === '1' ? 'has' : 'have'}`;
  for (const [pattern, say] of filters) {
    const match = pattern.exec(text);
    if (match) return say(nodes, pod, match[1] ?? '');
  }
  return cause;
}

function taintInWords(taint: string): string {
  return taint.replace(/: $/, '').replace(': ', '=');
}

function selectorOf(pod: Pod): string {
  const wanted = Object.entries(pod.spec.nodeSelector ?? {}).map(([label, value]) => `${label}=${value}`);
  return wanted.length === 0 ? ' than its affinity wants' : ` than ${wanted.join(', ')}`;
}

/** What the pod asks for: requests of all its containers, as its author wrote them. */
function needOf(pod: Pod, resource: string): string {
  const amounts = pod.spec.containers
    .map(({ resources }) => resources?.requests?.[resource] ?? resources?.limits?.[resource])
    .filter((amount) => amount !== undefined)
    .toSorted((a, b) => (quantity(b) ?? 0) - (quantity(a) ?? 0));
  return amounts.length === 0 ? 'the pod needs some' : `the pod needs ${amounts.join(' + ')}`;
}
