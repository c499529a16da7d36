import test from 'ava';
import fc from 'fast-check';
import type { ContainerStatus, Pod, TerminatedState } from '../../../cluster/objects.ts';
import type { AttemptView } from './attempt-view.ts';
import { endVerdict } from './end-verdict.ts';
import { lastViewOf, situationNames, situationOf, viewsOf } from './situations-fixture.ts';
import { waitingReason } from './waiting-reason.ts';

const patience = 60_000;
const name = fc.constantFrom(...situationNames);

/** An exit code of 0 with a single word against it. Without that word there is nothing to tell it from a success. */
const onlyWord: Readonly<Record<string, string>> = { X: '' };

/** The pod was deleted after the step had ended; its last version has lost when. A runner that saw both keeps the first verdict. */
const deletedAfterEnd = new Set(['evicted-by-api-after-step', 'pod-deleted-after-step']);

test('the order and the repetition of events change nothing', (t) => {
  fc.assert(
    fc.property(name, fc.infiniteStream(fc.nat()), (situation, numbers) => {
      const view = lastViewOf(situationOf(situation));
      const numbered = [...view.events, ...view.events].map((event) => ({ event, order: numbers.next().value }));
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
        fc.pre(!(situation in onlyWord));
        const view = lastViewOf(situationOf(situation));
        if (isGreen(view)) return;
        const poorer = lost.reduce<AttemptView>((poor, lose) => lose(poor), { ...view, now: view.now + ms });
        t.false(isGreen(poorer) && !deletedAfterEnd.has(situation), situation);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('an exit code of 0 that is not green hangs on a single word of the cluster in these situations alone', (t) => {
  const words = situationNames.flatMap((situation) => {
    const view = lastViewOf(situationOf(situation));
    const decisive = losses.filter((lose) => !isGreen(view) && isGreen(lose(view)));
    return decisive.map((lose) => [situation, lose.name]);
  });
  t.deepEqual(Object.fromEntries(words), onlyWord);
});

test('green needs everything that proves it', (t) => {
  const proofs = [withoutPod, withoutStatuses, withoutTerminated, withoutExitTime, withOtherReason];
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
  return withStatus(view, ({ phase: _phase, ...status }) => status);
}

function withoutConditions(view: AttemptView): AttemptView {
  return withStatus(view, ({ conditions: _conditions, ...status }) => status);
}

function withoutStatuses(view: AttemptView): AttemptView {
  return withStatus(view, ({ containerStatuses: _statuses, ...status }) => status);
}

function withContainers(view: AttemptView, change: (container: ContainerStatus) => ContainerStatus): AttemptView {
  return withStatus(view, ({ containerStatuses = [], ...status }) => ({
    ...status,
    containerStatuses: containerStatuses.map(change),
  }));
}

function withoutTerminated(view: AttemptView): AttemptView {
  return withContainers(view, ({ state: _state, ...container }) => container);
}

function withEnd(view: AttemptView, change: (end: TerminatedState) => TerminatedState): AttemptView {
  return withContainers(view, (container) => {
    const end = container.state?.terminated;
    return end === undefined ? container : { ...container, state: { terminated: change(end) } };
  });
}

function withoutExitTime(view: AttemptView): AttemptView {
  return withEnd(view, ({ finishedAt: _finishedAt, ...end }) => end);
}

function withoutTimes(view: AttemptView): AttemptView {
  return withEnd(view, ({ finishedAt: _finishedAt, startedAt: _startedAt, ...end }) => end);
}

function withoutReason(view: AttemptView): AttemptView {
  return withEnd(view, ({ reason: _reason, message: _message, ...end }) => end);
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
