import { createHash } from 'node:crypto';
import test from 'ava';
import { checkCluster, jobOf } from './check-cluster.ts';
import type { AuditWrite, ClusterHistory, StoredRow } from './check-cluster.ts';
import { readHistory } from './histories.ts';

/** The pipeline `everything` of pipelines.ts, whose runners were killed one after the other. */
const killed = readHistory('killed-runners');
/** The pipeline `slow`, whose first pod was deleted in mid-step. */
const deleted = readHistory('deleted-pod');

for (const [name, history] of Object.entries({ killed, deleted })) {
  test(`a history as it was recorded breaks no invariant: ${name}`, (t) => {
    t.deepEqual(checkCluster(history), []);
  });
}

interface Broken {
  /** What keeps the invariant, as long as it works. */
  readonly defence: string;
  /** What a cluster and a store would tell if it did not. */
  readonly history: ClusterHistory;
  readonly says: RegExp;
}

const table: readonly Broken[] = [
  {
    defence: 'the name of a Job follows from its attempt, so that a second create is refused',
    history: { ...killed, writes: [...killed.writes, createOf(killed, 'build', 1)] },
    says: /^I2: attempt 1 of build had 2 Jobs$/,
  },
  {
    defence: 'a Job makes no second pod beside its first',
    history: { ...killed, pods: killed.pods.flatMap((pod) => [pod, { ...pod, uid: `${pod.uid}-2` }]) },
    says: /^I2: the Job r-.* had two pods at once$/,
  },
  {
    defence: 'an attempt is on record before its Job is made',
    history: { ...killed, writes: [], pods: [] },
    says: /^I2: nobody saw a Job of attempt 1 of build being made$/,
  },
  {
    defence: 'the next attempt begins when the pod of the one before has ended',
    history: {
      ...deleted,
      pods: deleted.pods.map((pod) =>
        pod.job === jobOf(deleted.runId, 'work', 1) && pod.finishedAt !== undefined
          ? { ...pod, finishedAt: pod.finishedAt + 60_000 }
          : pod,
      ),
    },
    says: /^I3: attempt 2 of work began before the one before had ended$/,
  },
  {
    defence: 'a step that ended takes no more events',
    history: withEvent(killed, { type: 'attempt-started', step: 'build', attempt: 2 }),
    says: /^I4: attempt-started of build after its end$/,
  },
  {
    defence: 'a run that ended takes no more events',
    history: withEvent(killed, { type: 'run-cancelled' }),
    says: /^I4: run-cancelled after the end of the run$/,
  },
  {
    defence: 'two runners cannot both write the next event of a run',
    history: { ...killed, events: killed.events.toSpliced(3, 0, ...killed.events.slice(3, 4)) },
    says: /^version 4 stands at place 5$/,
  },
  {
    defence: 'steps that must not begin on a mere word wait for the proof',
    history: withOrder(killed, (events) => {
      const begun = events.findIndex(({ type, step }) => type === 'attempt-started' && step === 'clean');
      return events.toSpliced(begun, 1).toSpliced(begun - 1, 0, ...events.slice(begun, begun + 1));
    }),
    says: /^I5: clean began before last allowed it$/,
  },
  {
    defence: 'a runner goes on with a log at the byte where the last one ended',
    history: withLog(killed, { step: 'build' }, (text) => text.replace('line 100\n', 'line 100\nline 100\n')),
    says: /^I6: the log of attempt 1 of build has line 100 at place 101$/,
  },
  {
    defence: 'a log that lacks something says so',
    history: withLog(killed, { step: 'build' }, (text) => text.replace('line 400\n', '')),
    says: /^I6: the log of attempt 1 of build is complete with 399 of 400 lines$/,
  },
  {
    defence: 'a sealed log is not written to',
    history: withLog(killed, { step: 'build', sealed: true }, (text) => `${text}more\n`),
    says: /^I6: the log of attempt 1 of build was changed$/,
  },
  {
    defence: 'content is stored by its digest',
    history: { ...killed, artifacts: killed.artifacts.map((artifact) => ({ ...artifact, stored: 'other' })) },
    says: /^I7: the artefact .* is not what its digest says$/,
  },
  {
    defence: 'secrets are masked on their way into the store',
    history: withLog(killed, { step: 'flaky' }, (text) => text.replace('***', killed.canaries[0] ?? '')),
    says: /^I9: the log of flaky has a secret$/,
  },
  {
    defence: 'what a runner leaves is deleted, and swept by the next one',
    history: { ...killed, leftovers: ['pod/r-x'] },
    says: /^I11: pod\/r-x is left$/,
  },
  {
    defence: 'a resumed run comes to its end',
    history: { ...killed, events: killed.events.slice(0, -1), acknowledged: [] },
    says: /^I12: the run did not end: /,
  },
  {
    defence: 'green needs the kubelet to say 0',
    history: { ...killed, pods: killed.pods.map((pod) => (pod.exitCode === 0 ? { ...pod, exitCode: 1 } : pod)) },
    says: /^I13: attempt 1 of build is green, its pod says 1$/,
  },
  {
    defence: 'green needs the word on exactly the pod on record',
    history: { ...killed, pods: killed.pods.map((pod) => ({ ...pod, uid: `${pod.uid}-other` })) },
    says: /^I13: attempt 1 of build is green, its pod says nothing$/,
  },
  {
    defence: 'an event is told only when it is durable',
    history: { ...killed, acknowledged: [...killed.acknowledged, { type: 'step-settled', version: 999 }] },
    says: /^acknowledged and lost: step-settled 999$/,
  },
  {
    defence: 'an attempt that goes on is not begun again',
    history: { ...killed, effects: [...killed.effects, { step: 'build', attempt: 1 }] },
    says: /^the command of attempt 1 of build ran 2 times$/,
  },
  {
    defence: 'a command gets its go when its place is on record',
    history: { ...deleted, events: deleted.events.filter(({ type }) => type !== 'attempt-placed') },
    says: /^the command of attempt 1 of work ran without being on record$/,
  },
  {
    defence: 'green needs a command that ran',
    history: { ...deleted, effects: deleted.effects.filter(({ attempt }) => attempt === 1) },
    says: /^work is green, and its command never ran$/,
  },
  {
    defence: 'an attempt that is lost says why',
    history: { ...deleted, costs: ['node_lost'] },
    says: /^the attempts of work ended as pod_deleted, succeeded, not as succeeded$/,
  },
];

function createOf({ runId, writes }: ClusterHistory, step: string, attempt: number): AuditWrite {
  const name = jobOf(runId, step, attempt);
  const made = writes.find((write) => write.resource === 'jobs' && write.verb === 'create' && write.name === name);
  if (made === undefined) throw new Error(`the history has no Job of attempt ${attempt} of ${step}`);
  return made;
}

function withOrder(
  history: ClusterHistory,
  change: (events: readonly StoredRow[]) => readonly StoredRow[],
): ClusterHistory {
  return {
    ...history,
    acknowledged: [],
    events: change(history.events).map((event, index) => ({ ...event, version: index + 1 })),
  };
}

function withEvent(history: ClusterHistory, event: Omit<StoredRow, 'at' | 'version'>): ClusterHistory {
  return withOrder(history, (events) => [...events, { ...event, at: Date.now(), version: 0 }]);
}

/** The log of every attempt of a step, changed and, unless it was sealed before that, sealed as it is then. */
function withLog(
  history: ClusterHistory,
  { step, sealed = false }: { readonly step: string; readonly sealed?: boolean },
  change: (text: string) => string,
): ClusterHistory {
  const logs = history.logs.map((log) =>
    log.step === step ? { ...log, bytes: Buffer.from(change(log.bytes.toString())) } : log,
  );
  const events = history.events.map((event) => {
    const log = logs.find((one) => one.step === step && event.step === step && one.attempt === event.attempt);
    if (log === undefined || event.result?.log === undefined || sealed) return event;
    const sha256 = createHash('sha256').update(log.bytes).digest('hex');
    return { ...event, result: { ...event.result, log: { ...event.result.log, sha256 } } };
  });
  return { ...history, logs, events };
}

for (const { defence, history, says } of table) {
  test(`the checker is red when this does not hold: ${defence}`, (t) => {
    const broken = checkCluster(history);
    t.true(
      broken.some((sentence) => says.test(sentence)),
      broken.join('\n'),
    );
  });
}
