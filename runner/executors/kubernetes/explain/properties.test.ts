import test from 'ava';
import fc from 'fast-check';
import type { ContainerStatus, Pod, TerminatedState } from '../../../cluster/objects.ts';
import type { AttemptView } from './attempt-view.ts';
import { endVerdict } from './end-verdict.ts';
import { lastViewOf, situationNames, situationOf, viewsOf } from './situations-fixture.ts';
import { waitingReason } from './waiting-reason.ts';

const patience = 60_000;
const name = fc.constantFrom(...situationNames);

/** The pod was deleted after the step had ended; its last version has lost when. A runner that saw both keeps the first verdict. */
const deletedAfterEnd = new Set(['evicted-by-api-after-step', 'pod-deleted-after-step']);

test('the order and the repetition of events change nothing', (t) => {
  fc.assert(
    fc.property(name, fc.array(fc.nat(), { minLength: 80, maxLength: 80 }), (situation, numbers) => {
      const view = lastViewOf(situationOf(situation));
      const twice = [...view.events, ...view.events];
      const numbered = twice.map((event, index) => ({ event, order: numbers[index] ?? 0 }));
      const events = numbered.toSorted((a, b) => a.order - b.order).map(({ event }) => event);
      const mixed = { ...view, events };
      t.deepEqual(endVerdict(mixed), endVerdict(view));
      t.deepEqual(waitingReason(mixed, patience), waitingReason(view, patience));
    }),
  );
});

test('events of other objects change nothing', (t) => {
  const strange = situationNames.flatMap((other) => situationOf(other).events.slice(0, 3));
  for (const situation of situationNames) {
    const view = lastViewOf(situationOf(situation));
    const own = new Set([view.job?.metadata.uid, view.pod?.metadata.uid]);
    const others = strange.filter(({ involvedObject }) => !own.has(involvedObject.uid));
    const mixed = { ...view, events: [...others, ...view.events, ...others] };
    t.deepEqual(endVerdict(mixed), endVerdict(view), situation);
    t.deepEqual(waitingReason(mixed, patience), waitingReason(view, patience), situation);
  }
});

test('what was not green does not become green when events, Job, pod or parts of its status are missing', (t) => {
  fc.assert(
    fc.property(
      name,
      fc.array(fc.constantFrom(...losses), { maxLength: 4 }),
      fc.nat(1_000_000),
      (situation, lost, ms) => {
        const view = lastViewOf(situationOf(situation));
        if (isGreen(view)) return;
        const poorer = lost.reduce<AttemptView>((poor, lose) => lose(poor), { ...view, now: view.now + ms });
        t.false(isGreen(poorer), situation);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('an exit code of 0 counts as earlier than a disruption only when no difference of clocks could deceive', (t) => {
  const view = lastViewOf(situationOf('evicted-by-api-exit-0'));
  const endingAt = (finishedAt: string): AttemptView => {
    const early = withEnd(view, (end) => ({ ...end, finishedAt }));
    return early.pod === undefined ? early : { ...early, podGone: false, pod: undeleted(early.pod) };
  };
  // The eviction began at 05:03:40 on the clock of the control plane.
  t.true(isGreen(endingAt('2026-11-28T05:03:37Z')));
  for (const second of [38, 39, 40, 41]) t.false(isGreen(endingAt(`2026-11-28T05:03:${second}Z`)));
});

test('green needs everything that proves it', (t) => {
  const proofs = [withoutPod, withoutStatuses, withoutTerminated, withoutExitTime, withoutReason, withOtherReason];
  for (const situation of ['succeeds', 'service-ends-with-step', 'agent-exits-1-after-step']) {
    const view = lastViewOf(situationOf(situation));
    t.true(isGreen(view));
    for (const lose of proofs) t.false(isGreen(lose(view)), `${situation} ${lose.name}`);
  }
});

test('the first verdict stands in everything that a watch shows afterwards', (t) => {
  for (const situation of situationNames) {
    const verdicts = viewsOf(situationOf(situation))
      .map((view) => endVerdict(view)?.verdict)
      .filter((verdict) => verdict !== undefined);
    const [first] = verdicts;
    const different = verdicts.filter(({ reason, outcome }) => reason !== first?.reason || outcome !== first?.outcome);
    if (!deletedAfterEnd.has(situation)) t.deepEqual(different, [], situation);
    else t.true(different.every(({ reason }) => reason === 'pod_deleted') && first?.outcome === 'succeeded', situation);
  }
});

test('a verdict does not change as time goes by', (t) => {
  fc.assert(
    fc.property(name, fc.nat(10_000_000), (situation, ms) => {
      for (const view of viewsOf(situationOf(situation))) {
        const verdict = endVerdict(view)?.verdict;
        if (verdict !== undefined) t.deepEqual(endVerdict({ ...view, now: view.now + ms })?.verdict, verdict);
      }
    }),
  );
});

function isGreen(view: AttemptView): boolean {
  return endVerdict(view)?.verdict.outcome === 'succeeded';
}

function undeleted(pod: Pod): Pod {
  return { ...pod, metadata: without(pod.metadata, 'deletionTimestamp') };
}

function without<T extends object, K extends keyof T>(object: T, ...keys: readonly K[]): Omit<T, K> {
  const left = Object.entries(object).filter(([key]) => !(keys as readonly PropertyKey[]).includes(key));
  return Object.fromEntries(left) as Omit<T, K>;
}

function withoutEvents(view: AttemptView): AttemptView {
  return { ...view, events: [] };
}

function withoutHalfOfTheEvents(view: AttemptView): AttemptView {
  return { ...view, events: view.events.filter((_, index) => index % 2 === 0) };
}

function withoutJob(view: AttemptView): AttemptView {
  return { ...view, job: undefined };
}

function withoutJobStatus(view: AttemptView): AttemptView {
  return view.job === undefined ? view : { ...view, job: { ...view.job, status: {} } };
}

function withoutPod(view: AttemptView): AttemptView {
  return { ...view, pod: undefined };
}

function withoutPodUid(view: AttemptView): AttemptView {
  return { ...view, podUid: undefined };
}

function withStatus(view: AttemptView, change: (status: NonNullable<Pod['status']>) => Pod['status']): AttemptView {
  if (view.pod === undefined) return view;
  const { status: old = {}, ...pod } = view.pod;
  const status = change(old);
  return { ...view, pod: status === undefined ? pod : { ...pod, status } };
}

function withoutPodStatus(view: AttemptView): AttemptView {
  return withStatus(view, () => undefined);
}

function withoutPhase(view: AttemptView): AttemptView {
  return withStatus(view, (status) => without(status, 'phase'));
}

function withoutConditions(view: AttemptView): AttemptView {
  return withStatus(view, (status) => without(status, 'conditions'));
}

function withoutStatuses(view: AttemptView): AttemptView {
  return withStatus(view, (status) => without(status, 'containerStatuses'));
}

function withContainers(view: AttemptView, change: (container: ContainerStatus) => ContainerStatus): AttemptView {
  return withStatus(view, ({ containerStatuses = [], ...status }) => ({
    ...status,
    containerStatuses: containerStatuses.map(change),
  }));
}

function withoutTerminated(view: AttemptView): AttemptView {
  return withContainers(view, (container) => without(container, 'state'));
}

function withEnd(view: AttemptView, change: (end: TerminatedState) => TerminatedState): AttemptView {
  return withContainers(view, (container) => {
    const end = container.state?.terminated;
    return end === undefined ? container : { ...container, state: { terminated: change(end) } };
  });
}

function withoutExitTime(view: AttemptView): AttemptView {
  return withEnd(view, (end) => without(end, 'finishedAt'));
}

function withoutTimes(view: AttemptView): AttemptView {
  return withEnd(view, (end) => without(end, 'startedAt', 'finishedAt'));
}

function withoutReason(view: AttemptView): AttemptView {
  return withEnd(view, (end) => without(end, 'reason', 'message'));
}

function withOtherReason(view: AttemptView): AttemptView {
  return withEnd(view, (end) => ({ ...end, reason: 'SomethingNew' }));
}

const losses = [
  withoutEvents,
  withoutHalfOfTheEvents,
  withoutJob,
  withoutJobStatus,
  withoutPod,
  withoutPodUid,
  withoutPodStatus,
  withoutPhase,
  withoutConditions,
  withoutStatuses,
  withoutTerminated,
  withoutTimes,
  withoutReason,
];
