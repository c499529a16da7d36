import test from 'ava';
import type { Pod } from '../../../cluster/objects.ts';
import type { Reason } from '../../../model/outcome.ts';
import type { AttemptView } from './attempt-view.ts';
import { endVerdict } from './end-verdict.ts';
import { lastViewOf, situationOf } from './situations-fixture.ts';
import { waitingReason } from './waiting-reason.ts';

const at = (second: number): string => `2026-11-28T05:03:${second}Z`;

interface End {
  readonly exitCode: number;
  readonly second: number;
  readonly reason?: string;
}

/** The pod of the situation `succeeds`, its containers ended as given and its deletion asked for at a second. */
function ending(ends: Readonly<Record<string, End>>, deletion?: number, status?: Partial<Pod['status']>): AttemptView {
  const view = lastViewOf(situationOf('succeeds'));
  const { pod } = view;
  if (pod === undefined) throw new Error('the recording has no pod');
  const containerStatuses = Object.entries(ends).map(([name, { exitCode, second, reason }]) => ({
    name,
    ready: false,
    restartCount: 0,
    image: '',
    imageID: '',
    state: {
      terminated: {
        exitCode,
        reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
        startedAt: at(10),
        finishedAt: at(second),
      },
    },
  }));
  const due = deletion === undefined ? {} : { deletionTimestamp: at(deletion + 5), deletionGracePeriodSeconds: 5 };
  return {
    ...view,
    pod: { ...pod, metadata: { ...pod.metadata, ...due }, status: { phase: 'Failed', ...status, containerStatuses } },
  };
}

const reasonOf = (view: AttemptView): Reason | 'succeeded' | undefined => {
  const verdict = endVerdict(view)?.verdict;
  return verdict?.reason ?? (verdict?.outcome === 'succeeded' ? 'succeeded' : undefined);
};

test('of several ends from outside the earliest is the reason', (t) => {
  const killed = { exitCode: 137, second: 40 };
  t.is(reasonOf(ending({ agent: { exitCode: 1, second: 20 }, step: killed }, 21)), 'agent_failed');
  t.is(reasonOf(ending({ agent: { exitCode: 143, second: 31 }, step: killed }, 30)), 'pod_deleted');
  t.is(
    reasonOf(ending({ 'service-db': { exitCode: 1, second: 20 }, agent: { exitCode: 1, second: 22 }, step: killed })),
    'service_failed',
  );
});

test('in a tie with a red command the command has the word, and green needs an agent that did not fail then', (t) => {
  const agent = { exitCode: 1, second: 30 };
  t.is(reasonOf(ending({ agent, step: { exitCode: 3, second: 30 } })), 'exit_code');
  t.is(reasonOf(ending({ agent, step: { exitCode: 0, second: 30 } })), 'agent_failed');
  t.is(reasonOf(ending({ agent, step: { exitCode: 0, second: 29 } })), 'succeeded');
  t.is(reasonOf(ending({ 'service-db': agent, step: { exitCode: 0, second: 30 } })), 'succeeded');
});

test('an exit code that was there before the pod was deleted stands', (t) => {
  t.is(reasonOf(ending({ step: { exitCode: 3, second: 20 } }, 30)), 'exit_code');
  t.is(reasonOf(ending({ step: { exitCode: 0, second: 20 } }, 30)), 'succeeded');
  t.is(reasonOf(ending({ step: { exitCode: 3, second: 30 } }, 30)), 'pod_deleted');
});

// What kubelets of several versions and runtimes write when they have lost a container (kubernetes/kubernetes#104107, #122160).
for (const reason of ['ContainerStatusUnknown', 'Unknown']) {
  test(`${reason} is an unknown end, whatever its exit code`, (t) => {
    for (const exitCode of [0, 1, 137, 255]) {
      t.is(reasonOf(ending({ step: { exitCode, second: 20, reason } })), 'node_lost');
    }
  });
}

test('a pod that is said to have succeeded proves nothing without the end of the step', (t) => {
  t.is(reasonOf(ending({}, undefined, { phase: 'Succeeded' })), 'node_lost');
  t.is(reasonOf(ending({ agent: { exitCode: 0, second: 20 } }, undefined, { phase: 'Succeeded' })), 'node_lost');
});

test('an exit code of 255 is the command’s own unless the whole pod has it', (t) => {
  const step = { exitCode: 255, second: 20 };
  t.is(reasonOf(ending({ step, agent: { exitCode: 0, second: 22 } })), 'exit_code');
  t.is(reasonOf(ending({ step, agent: { exitCode: 255, second: 20 } })), 'node_lost');
});

test('of what the cluster says again and again the newest counts, since the first time that it said so', (t) => {
  const view = lastViewOf(situationOf('quota-used-up'));
  const [refusal] = view.events.filter(({ reason }) => reason === 'FailedCreate');
  if (refusal === undefined) throw new Error('the recording has no refusal');
  const newer = {
    ...refusal,
    message: 'Error creating: pods "attempt-x" is forbidden: no PriorityClass with name low was found',
    firstTimestamp: at(58),
    lastTimestamp: at(59),
  };
  const now = Date.parse(at(59));
  const older = { ...refusal, firstTimestamp: at(20), lastTimestamp: at(30) };
  for (const events of [
    [older, newer],
    [newer, older],
  ]) {
    t.like(waitingReason({ ...view, events, now }, 0), { reason: 'admission_denied', since: Date.parse(at(20)) });
  }
});
