import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';
import { SluiceError } from '../model/errors.ts';
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

/** Judges the Kubernetes objects of a file by what their pods ask for. ERR_GATE for a file that is no YAML. */
export function judgeManifest(text: string, path: string): readonly Finding[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines });
  return [...documents].flatMap((document) => {
    const [fault] = document.errors;
    if (fault !== undefined)
      throw new SluiceError('ERR_GATE', `${path}: ${fault.message}`, {
        hint: 'Give it as YAML, templates rendered before.',
      });
    return objectsOf(document).flatMap((at) => judgeObject({ document, at, path, lines }));
  });
}

interface Place {
  readonly document: Document;
  /** Where the object is in its document. */
  readonly at: Path;
  readonly path: string;
  readonly lines: LineCounter;
}

/** The document itself, or the items of a List. */
function objectsOf(document: Document): readonly Path[] {
  const items = document.get('items');
  return isSeq(items) ? items.items.map((_, index) => ['items', index]) : [[]];
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

function finding({ document, at, path, lines }: Place, { rule, severity, message }: Rule, where: Path): Finding {
  const node = document.getIn([...at, ...where], true);
  const range = isMap(node) || isScalar(node) || isSeq(node) ? node.range : document.contents?.range;
  const name = [
    document.getIn([...at, 'kind']),
    document.getIn([...at, 'metadata', 'name']),
    document.getIn([...at, ...where, 'name']),
  ];
  const told = [...new Set(name.filter((part) => typeof part === 'string'))].join(' ');
  return { rule, severity, message: `${told} ${message}`, path, line: lines.linePos(range?.[0] ?? 0).line };
}

function valueAt({ document, at }: Place, path: Path): unknown {
  return document.getIn([...at, ...path]);
}

function has(place: Place, path: Path): boolean {
  return valueAt(place, path) !== undefined;
}

function sizeOf(place: Place, path: Path): number {
  const found = valueAt(place, path);
  return isSeq(found) || isMap(found) ? found.items.length : 0;
}

function elements(place: Place, list: Path): readonly Path[] {
  return Array.from({ length: sizeOf(place, list) }, (_, index) => [...list, index]);
}
