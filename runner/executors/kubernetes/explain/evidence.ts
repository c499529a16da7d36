import type { Condition, ContainerStatus, Job, Pod } from '../../../cluster/objects.ts';
import { containerStatuses } from './attempt-view.ts';
import type { AttemptView } from './attempt-view.ts';
import { warningsOf } from './events-of.ts';
import { shorten } from './shorten.ts';

/** Enough to see what happened, and little enough to keep with every attempt. */
const most = 12;

/** What the cluster shows of an attempt, in its own words: pod, containers, conditions, warnings. */
export function evidenceOf({ job, pod, events }: AttemptView): readonly string[] {
  const lines = [
    ...podLines(pod),
    ...containerStatuses(pod).flatMap(containerLine),
    ...conditionLines('pod', pod),
    ...conditionLines('job', job),
    ...[...warningsOf(events, pod), ...warningsOf(events, job)].slice(-5).map((line) => `event ${line}`),
  ];
  return lines.slice(0, most).map((line) => shorten(line));
}

function podLines(pod: Pod | undefined): readonly string[] {
  if (pod === undefined) return ['pod: none'];
  const { phase = 'Unknown', reason, message } = pod.status ?? {};
  const { deletionTimestamp } = pod.metadata;
  return [
    `pod: ${[phase, reason, message].filter((word) => word !== undefined && word !== '').join(': ')}`,
    ...(deletionTimestamp ? [`pod: deletion due at ${deletionTimestamp}`] : []),
  ];
}

function containerLine({ name, state }: ContainerStatus): readonly string[] {
  const { terminated, waiting } = state ?? {};
  if (terminated) {
    const { exitCode, reason = '', message } = terminated;
    return [`container ${name}: ${reason}, exit code ${exitCode}${message ? `: ${message}` : ''}`];
  }
  if (waiting) return [`container ${name}: waiting: ${waiting.reason ?? ''} ${waiting.message ?? ''}`];
  return [`container ${name}: running`];
}

const telling: ReadonlySet<string> = new Set(['DisruptionTarget', 'Failed', 'FailureTarget', 'Suspended']);

function conditionLines(kind: string, object: Pod | Job | undefined): readonly string[] {
  return (object?.status?.conditions ?? [])
    .filter(isTelling)
    .map(({ type, reason = '', message = '' }) => `${kind} condition ${type}: ${reason}: ${message}`);
}

function isTelling({ type, status }: Condition): boolean {
  return (telling.has(type) && status === 'True') || (type === 'PodScheduled' && status === 'False');
}
