import { isNode, LineCounter, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';
import { messageOf, SluiceError } from '../model/errors.ts';
import type { Finding, Severity } from './finding.ts';

/** Where the pod of an object of each kind is described. */
const podPaths: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec'],
  Deployment: ['spec', 'template', 'spec'],
  StatefulSet: ['spec', 'template', 'spec'],
  DaemonSet: ['spec', 'template', 'spec'],
  ReplicaSet: ['spec', 'template', 'spec'],
  ReplicationController: ['spec', 'template', 'spec'],
  Job: ['spec', 'template', 'spec'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

type Path = readonly (string | number)[];

interface Rule {
  readonly rule: string;
  readonly severity: Severity;
  /** The end of a sentence that begins with what it is about. */
  readonly message: string;
}

/** What a pod may not ask for: Pod Security `baseline` and `restricted` (https://kubernetes.io/docs/concepts/security/pod-security-standards/). */
const podRules = {
  privileged: { rule: 'privileged', severity: 'critical', message: 'is privileged: it has the rights of its node' },
  host: { rule: 'host-namespace', severity: 'critical', message: 'shares a namespace with its node' },
  hostPath: { rule: 'host-path', severity: 'critical', message: 'mounts a folder of its node' },
  capability: { rule: 'capability', severity: 'high', message: 'adds capabilities to those of the runtime' },
  root: { rule: 'run-as-root', severity: 'high', message: 'may run as root: `runAsNonRoot: true` is missing' },
  escalation: {
    rule: 'privilege-escalation',
    severity: 'high',
    message: 'may gain privileges: `allowPrivilegeEscalation: false` is missing',
  },
  seccomp: { rule: 'seccomp', severity: 'medium', message: 'has no seccomp profile: `RuntimeDefault` is missing' },
  unpinned: {
    rule: 'image-unpinned',
    severity: 'medium',
    message: 'has an image that changes by itself: name a version or a digest',
  },
  memory: { rule: 'memory-limit', severity: 'medium', message: 'has no limit of memory' },
} as const satisfies Readonly<Record<string, Rule>>;

const secretRule: Rule = {
  rule: 'secret-in-file',
  severity: 'critical',
  message: 'is a Secret with its values: they belong in no repository',
};

/** Judges the Kubernetes objects of a file by what their pods ask for. ERR_GATE for a file that is no YAML, or has no object of Kubernetes: it proves nothing. */
export function judgeManifest(text: string, path: string): readonly Finding[] {
  const lines = new LineCounter();
  // As kubectl reads it, anchors and `<<` resolved: what they bring counts as if it stood there.
  const documents = [...parseAllDocuments(text, { lineCounter: lines, merge: true })];
  const places = documents.flatMap((document) =>
    objectsOf(valuesOf(document, path)).map(({ at, object }) => ({ document, at, object, path, lines })),
  );
  if (!places.some((place) => typeof valueAt(place, ['kind']) === 'string')) {
    throw new SluiceError('ERR_GATE', `${path} has no object of Kubernetes: nothing in it has a \`kind\``, {
      hint: 'Let the patterns name manifests only.',
    });
  }
  return places.flatMap(judgeObject);
}

interface Place {
  readonly document: Document;
  /** Where the object is in its document. */
  readonly at: Path;
  /** What it says. */
  readonly object: unknown;
  readonly path: string;
  readonly lines: LineCounter;
}

function valuesOf(document: Document, path: string): unknown {
  try {
    const [fault] = document.errors;
    if (fault !== undefined) throw fault;
    return document.toJS();
  } catch (error) {
    throw new SluiceError('ERR_GATE', `${path}: ${messageOf(error)}`, {
      cause: error,
      hint: 'Give it as YAML, templates rendered before.',
    });
  }
}

/** The document itself, or the items of a List. */
function objectsOf(value: unknown): readonly Pick<Place, 'at' | 'object'>[] {
  const items = childOf(value, 'items');
  if (!Array.isArray(items)) return [{ at: [], object: value }];
  return items.map((object: unknown, index) => ({ at: ['items', index], object }));
}

function judgeObject(place: Place): readonly Finding[] {
  const kind = valueAt(place, ['kind']);
  if (kind === 'Secret') {
    const holds = ['data', 'stringData'].some((key) => sizeOf(place, [key]) > 0);
    return holds ? [finding(place, secretRule, [])] : [];
  }
  const pod = typeof kind === 'string' && Object.hasOwn(podPaths, kind) ? podPaths[kind] : undefined;
  return pod === undefined ? [] : [...judgePod(place, pod), ...judgeContainers(place, pod)];
}

function judgePod(place: Place, pod: Path): readonly Finding[] {
  const hosts = ['hostNetwork', 'hostPID', 'hostIPC'].map((key) => [...pod, key]);
  const volumes = elements(place, [...pod, 'volumes']).map((volume) => [...volume, 'hostPath']);
  return [
    ...hosts.filter((path) => valueAt(place, path) === true).map((path) => finding(place, podRules.host, path)),
    ...volumes.filter((path) => has(place, path)).map((path) => finding(place, podRules.hostPath, path)),
  ];
}

function judgeContainers(place: Place, pod: Path): readonly Finding[] {
  const lists = ['containers', 'initContainers', 'ephemeralContainers'].map((key) => [...pod, key]);
  return lists
    .flatMap((list) => elements(place, list))
    .flatMap((container) => {
      const broken = brokenRules(place, pod, container);
      return broken.map((rule) => finding(place, rule, container));
    });
}

function brokenRules(place: Place, pod: Path, container: Path): readonly Rule[] {
  const own = (...path: string[]): unknown => valueAt(place, [...container, 'securityContext', ...path]);
  const orOfPod = (...path: string[]): unknown => own(...path) ?? valueAt(place, [...pod, 'securityContext', ...path]);
  const image = valueAt(place, [...container, 'image']);
  const judged: readonly (readonly [Rule, boolean])[] = [
    [podRules.privileged, own('privileged') === true],
    [podRules.capability, sizeOf(place, [...container, 'securityContext', 'capabilities', 'add']) > 0],
    [podRules.root, orOfPod('runAsNonRoot') !== true],
    [podRules.escalation, own('allowPrivilegeEscalation') !== false],
    [podRules.seccomp, !['RuntimeDefault', 'Localhost'].includes(String(orOfPod('seccompProfile', 'type')))],
    [podRules.unpinned, typeof image !== 'string' || !/@sha256:|:(?!latest$)[^/:@]+$/.test(image)],
    [podRules.memory, !has(place, [...container, 'resources', 'limits', 'memory'])],
  ];
  return judged.filter(([, isBroken]) => isBroken).map(([rule]) => rule);
}

function finding(place: Place, { rule, severity, message }: Rule, where: Path): Finding {
  const { document, at, path, lines } = place;
  const name = [['kind'], ['metadata', 'name'], [...where, 'name']].map((path) => valueAt(place, path));
  const told = [...new Set(name.filter((part) => typeof part === 'string'))].join(' ');
  const line = lines.linePos(offsetOf(document, [...at, ...where])).line;
  return { rule, severity, message: `${told} ${message}`, path, line };
}

/** Of what stands at a path, or of the nearest around it that stands there itself and comes from no anchor. */
function offsetOf(document: Document, path: Path): number {
  const node = document.getIn(path, true);
  if (isNode(node) && node.range) return node.range[0];
  return path.length === 0 ? 0 : offsetOf(document, path.slice(0, -1));
}

function valueAt({ object }: Place, path: Path): unknown {
  let value = object;
  for (const key of path) value = childOf(value, key);
  return value;
}

function childOf(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string | number, unknown>>)[key]
    : undefined;
}

function has(place: Place, path: Path): boolean {
  return valueAt(place, path) !== undefined;
}

function sizeOf(place: Place, path: Path): number {
  const found = valueAt(place, path);
  return typeof found === 'object' && found !== null ? Object.keys(found).length : 0;
}

function elements(place: Place, list: Path): readonly Path[] {
  const found = valueAt(place, list);
  return Array.isArray(found) ? found.map((_, index) => [...list, index]) : [];
}
