import { createHash } from 'node:crypto';

/** A write to the API that the API server's audit log tells of. */
export interface AuditWrite {
  readonly at: number;
  readonly verb: string;
  readonly resource: string;
  readonly name: string;
  readonly code: number;
}

/** A pod at one moment, as the watch of the test saw it or the kubelet told it. Times are ms since the epoch. */
export interface SeenPod {
  readonly at: number;
  readonly uid: string;
  /** Name of its Job. */
  readonly job: string;
  /** Uid of its Job, where that is known. */
  readonly jobUid?: string | undefined;
  readonly gone: boolean;
  /** Of the container of the step. */
  readonly startedAt?: number | undefined;
  readonly finishedAt?: number | undefined;
  readonly exitCode?: number | undefined;
}

/** A row of the store's events. */
export interface StoredRow {
  readonly type: string;
  readonly version: number;
  readonly at: number;
  readonly step?: string;
  readonly attempt?: number;
  readonly place?: { readonly podUid?: string };
  readonly result?: AttemptResult;
  readonly next?: { readonly kind: string };
  readonly verdict?: { readonly outcome: string; readonly reason?: string };
}

interface AttemptResult {
  readonly outcome: string;
  readonly reason?: string;
  readonly exitCode?: number;
  readonly log?: { readonly sha256: string; readonly complete: boolean };
}

/** What the pipeline of the run says, as the test wrote it. */
export interface Expected {
  readonly needs: Readonly<Record<string, readonly string[]>>;
  /** Steps that must not begin on the mere word of those they need. */
  readonly strict: readonly string[];
  /** How many numbered lines a step prints that runs to its end. */
  readonly lines: Readonly<Record<string, number>>;
  /** How the attempts of each step end, all later ones like the last: reasons, or the outcome where there is none. */
  readonly ends: Readonly<Record<string, readonly string[]>>;
  /**
   * What the faults may cost: reasons with which any attempt but a step's last may end instead. How many of
   * them there are depends on the moment and on how busy the machine is, so that is no matter of right and wrong.
   */
  readonly costs: readonly string[];
  /** What must not be found anywhere. */
  readonly canaries: readonly string[];
}

/** One run, seen from outside of Sluice's own code: audit log, a watch of pods, what commands did, the store's own bytes. */
export interface ClusterHistory extends Expected {
  readonly runId: string;
  readonly events: readonly StoredRow[];
  readonly integrity: string;
  /** Events that were told to somebody as durable. */
  readonly acknowledged: readonly { readonly type: string; readonly version: number }[];
  readonly writes: readonly AuditWrite[];
  readonly pods: readonly SeenPod[];
  /** Commands that really began, once per time. */
  readonly effects: readonly { readonly step: string; readonly attempt: number }[];
  readonly logs: readonly { readonly step: string; readonly attempt: number; readonly bytes: Buffer }[];
  /** Digest on record, and that of the bytes which are stored under it. */
  readonly artifacts: readonly { readonly path: string; readonly sha256: string; readonly stored: string }[];
  /** Jobs, pods and Secrets of the run that are there when they had two minutes to go. */
  readonly leftovers: readonly string[];
}

/** Clocks of one machine, but the kubelet counts in seconds. */
const grainMs = 1_000;

/**
 * The invariants of runs on a cluster. Answers what is broken, nothing when all hold. It shares no code with what it checks.
 */
export function checkCluster(history: ClusterHistory): readonly string[] {
  return [
    ...checkStore(history),
    ...checkEnds(history),
    ...checkJobs(history),
    ...checkPods(history),
    ...checkSuccession(history),
    ...checkNeeds(history),
    ...checkProof(history),
    ...checkEffects(history),
    ...history.logs.flatMap((log) => checkLog(history, log)),
    ...history.artifacts.flatMap(({ path, sha256, stored }) =>
      sha256 === stored ? [] : [`I7: the artefact ${path} is not what its digest says`],
    ),
    ...checkCanaries(history),
    ...history.leftovers.map((name) => `I11: ${name} is left`),
  ];
}

/** I4, I12, and that nothing acknowledged is lost. */
function checkStore({ events, integrity, acknowledged }: ClusterHistory): readonly string[] {
  const broken = integrity === 'ok' ? [] : [`integrity of the database: ${integrity}`];
  const settled = new Set<string>();
  for (const [index, { type, version, step = '', next }] of events.entries()) {
    if (version !== index + 1) broken.push(`version ${version} stands at place ${index + 1}`);
    if (events[index - 1]?.type === 'run-finished') broken.push(`I4: ${type} after the end of the run`);
    if (step !== '' && settled.has(step)) broken.push(`I4: ${type} of ${step} after its end`);
    if (type === 'step-settled' || (type === 'attempt-finished' && next?.kind === 'settle')) settled.add(step);
  }
  if (events.at(-1)?.type !== 'run-finished')
    broken.push(`I12: the run did not end: ${events.at(-1)?.type ?? 'empty'}`);
  for (const { type, version } of acknowledged) {
    if (events[version - 1]?.type !== type) broken.push(`acknowledged and lost: ${type} ${version}`);
  }
  return broken;
}

/** A step that is taken back because its need was not proven may be begun anew by design. */
const alwaysAllowed = ['unproven'];

/** Every attempt ends as the pipeline says, or for a reason that the faults account for: an end by accident is neither. */
function checkEnds({ events, ends, costs }: ClusterHistory): readonly string[] {
  const allowed = new Set([...costs, ...alwaysAllowed]);
  return Object.entries(ends).flatMap(([step, wanted]) => {
    const all = events.flatMap(({ step: of, result }) =>
      of === step && result ? [result.reason ?? result.outcome] : [],
    );
    const isRight =
      all.at(-1) === wanted.at(-1) &&
      all.every((end, index) => allowed.has(end) || end === wanted[Math.min(index, wanted.length - 1)]);
    return isRight
      ? []
      : [`the attempts of ${step} ended as ${all.join(', ') || 'nothing'}, not as ${wanted.join(', ')}`];
  });
}

/** I2: one Job per attempt ever. One that was prepared and taken back before its attempt began does not count. */
function checkJobs(history: ClusterHistory): readonly string[] {
  return attemptsOf(history).flatMap(({ step, attempt, startedAt }) => {
    const name = jobOf(history.runId, step, attempt);
    const jobs = history.writes.filter(({ resource, name: of }) => resource === 'jobs' && of === name);
    const made = jobs.filter(({ verb, code }) => verb === 'create' && code === 201);
    // Whoever asked may have been killed before the answer: then it is no 200.
    const takenBack = jobs.filter(({ verb, code, at }) => verb === 'delete' && code !== 404 && at < startedAt);
    const count = made.length - takenBack.length;
    if (count > 1) return [`I2: attempt ${attempt} of ${step} had ${count} Jobs`];
    const placed = placeOf(history, step, attempt) !== undefined;
    // An API server that is killed may have done what it had no time to write down.
    const isKnown = count === 1 || history.pods.some(({ job }) => job === name);
    return placed && !isKnown ? [`I2: nobody saw a Job of attempt ${attempt} of ${step} being made`] : [];
  });
}

/** I2, I3: of one Job no pod lives beside another. */
function checkPods({ pods }: ClusterHistory): readonly string[] {
  const byJob = Map.groupBy(pods, ({ jobUid }) => jobUid);
  byJob.delete(undefined);
  return [...byJob.values()].flatMap((seen) => {
    const lives = [...Map.groupBy(seen, ({ uid }) => uid).values()].map((sights) => ({
      from: Math.min(...sights.map(({ at }) => at)),
      to: Math.min(...sights.map(({ at, gone, finishedAt }) => (gone ? at : (finishedAt ?? Infinity)))),
    }));
    const isAlone = lives.every((one) =>
      lives.every((other) => one === other || one.to <= other.from || other.to <= one.from),
    );
    return isAlone ? [] : [`I2: the Job ${seen[0]?.job ?? ''} had two pods at once`];
  });
}

/** I3: an attempt begins only when nothing of the one before it runs any more. */
function checkSuccession(history: ClusterHistory): readonly string[] {
  return attemptsOf(history).flatMap(({ step, attempt, startedAt }) => {
    const before = placeOf(history, step, attempt - 1);
    if (before === undefined) return [];
    const end = endOfPod(history, before);
    if (end === undefined) return [`I3: nobody saw attempt ${attempt - 1} of ${step} end`];
    return end < startedAt + grainMs ? [] : [`I3: attempt ${attempt} of ${step} began before the one before had ended`];
  });
}

/** I5: a plain step may begin on the word of its needs, and none is green before they are. */
function checkNeeds(history: ClusterHistory): readonly string[] {
  const { events, needs, strict } = history;
  const place = (match: (event: StoredRow) => boolean): number => events.findIndex(match);
  const broken: string[] = [];
  for (const [step, needed] of Object.entries(needs)) {
    const begun = place(({ type, step: of }) => type === 'attempt-started' && of === step);
    const green = place((event) => event.step === step && isGreen(event));
    for (const need of needed) {
      const proven = place((event) => event.step === need && isGreen(event));
      const told = place(({ type, step: of }) => type === 'attempt-reported' && of === need);
      const enough = strict.includes(step) || told === -1 ? proven : Math.min(told, proven === -1 ? told : proven);
      if (begun !== -1 && (enough === -1 || enough > begun)) broken.push(`I5: ${step} began before ${need} allowed it`);
      if (green !== -1 && (proven === -1 || proven > green)) broken.push(`I5: ${step} is green before ${need} is`);
    }
  }
  return broken;
}

/** I13: green only with exit code 0, seen in the status of exactly the pod on record. */
function checkProof(history: ClusterHistory): readonly string[] {
  return history.events.flatMap((event) => {
    const { type, step = '', attempt = 0, result } = event;
    if (type !== 'attempt-finished' || result?.outcome !== 'succeeded') return [];
    const uid = placeOf(history, step, attempt);
    const codes = new Set(history.pods.filter((pod) => pod.uid === uid).map(({ exitCode }) => exitCode));
    codes.delete(undefined);
    const proven = uid !== undefined && result.exitCode === 0 && codes.size === 1 && codes.has(0);
    return proven
      ? []
      : [`I13: attempt ${attempt} of ${step} is green, its pod says ${[...codes].join() || 'nothing'}`];
  });
}

/** A command runs once per attempt, and only where the attempt is on record as placed. */
function checkEffects(history: ClusterHistory): readonly string[] {
  const keys = history.effects.map(({ step, attempt }) => `${step} ${attempt}`);
  const broken = [...new Set(keys)].flatMap((key) => {
    const times = keys.filter((other) => other === key).length;
    const [step = '', attempt = ''] = key.split(' ');
    const placed = placeOf(history, step, Number(attempt)) !== undefined;
    return [
      ...(times === 1 ? [] : [`the command of attempt ${attempt} of ${step} ran ${times} times`]),
      ...(placed ? [] : [`the command of attempt ${attempt} of ${step} ran without being on record`]),
    ];
  });
  for (const { type, step = '', attempt = 0, result } of history.events) {
    const green = type === 'attempt-finished' && result?.outcome === 'succeeded';
    if (green && !keys.includes(`${step} ${attempt}`)) broken.push(`${step} is green, and its command never ran`);
  }
  return broken;
}

/** I6: numbered lines are there once and in order, all of them unless the seal says that some are missing. */
function checkLog(
  history: ClusterHistory,
  { step, attempt, bytes }: ClusterHistory['logs'][number],
): readonly string[] {
  const title = `the log of attempt ${attempt} of ${step}`;
  const result = history.events.find(
    (event) => event.type === 'attempt-finished' && event.step === step && event.attempt === attempt,
  )?.result;
  if (result?.log === undefined) return [];
  const broken: string[] = [];
  if (createHash('sha256').update(bytes).digest('hex') !== result.log.sha256) broken.push(`I6: ${title} was changed`);
  const numbers = [...bytes.toString().matchAll(/^line (\d+)\b/gm)].map(([, number]) => Number(number));
  const gap = numbers.findIndex((number, index) => number !== index + 1);
  if (gap !== -1 && (result.log.complete || Number(numbers[gap]) <= gap)) {
    broken.push(`I6: ${title} has line ${numbers[gap]} at place ${gap + 1}`);
  }
  const all = history.lines[step] ?? 0;
  if (result.outcome === 'succeeded' && result.log.complete && numbers.length !== all) {
    broken.push(`I6: ${title} is complete with ${numbers.length} of ${all} lines`);
  }
  return broken;
}

/** I9: what is secret is in no log and no event. */
function checkCanaries({ canaries, logs, events, acknowledged }: ClusterHistory): readonly string[] {
  const places = [
    ...logs.map(({ step, bytes }) => ({ name: `the log of ${step}`, text: bytes.toString() })),
    { name: 'the events', text: JSON.stringify([events, acknowledged]) },
  ];
  return places.flatMap(({ name, text }) =>
    canaries.some((canary) => text.includes(canary)) ? [`I9: ${name} has a secret`] : [],
  );
}

function isGreen({ type, result, verdict }: StoredRow): boolean {
  if (type === 'attempt-finished') return result?.outcome === 'succeeded';
  return type === 'step-settled' && verdict?.outcome === 'succeeded';
}

interface Begun {
  readonly step: string;
  readonly attempt: number;
  readonly startedAt: number;
}

function attemptsOf({ events }: ClusterHistory): readonly Begun[] {
  return events
    .filter(({ type }) => type === 'attempt-started')
    .map(({ step = '', attempt = 0, at }) => ({ step, attempt, startedAt: at }));
}

/** The pod that was on record before the command could do anything. */
function placeOf({ events }: ClusterHistory, step: string, attempt: number): string | undefined {
  return events.find((event) => event.type === 'attempt-placed' && event.step === step && event.attempt === attempt)
    ?.place?.podUid;
}

/** When its step could do nothing any more. */
function endOfPod({ pods }: ClusterHistory, uid: string): number | undefined {
  const seen = pods.filter((pod) => pod.uid === uid);
  return seen.find(({ finishedAt }) => finishedAt !== undefined)?.finishedAt ?? seen.find(({ gone }) => gone)?.at;
}

/** As docs/kubernetes.md has it: `r-RUN-HASH-ATTEMPT`. */
export function jobOf(runId: string, step: string, attempt: number): string {
  return `r-${runId}-${createHash('sha256').update(step).digest('hex').slice(0, 8)}-${attempt}`;
}
