/** A line that `sluice run --json` printed: an event it had made durable before. */
export interface Acknowledged {
  readonly kind: string;
  readonly runId?: string;
  readonly event?: { readonly type: string; readonly version: number };
}

/** What is known of the runs of one data folder from outside of Sluice's own code. */
export interface History {
  readonly acknowledged: readonly Acknowledged[];
  readonly events: readonly { readonly runId: string; readonly version: number; readonly body: string }[];
  readonly integrity: string;
  /** The steps whose commands ran, once per time. */
  readonly effects: readonly string[];
}

interface Event {
  readonly type: string;
  readonly version: number;
  readonly step?: string;
  readonly attempt?: number;
  readonly result?: {
    readonly outcome: string;
    readonly exitCode?: number;
    readonly log?: { readonly sha256: string };
  };
  readonly next?: { readonly kind: string };
  readonly verdict?: { readonly outcome: string };
}

/**
 * The invariants of durable runs, checked over the whole history. Answers what is broken, nothing when all hold. It
 * shares no code with what it checks.
 */
export function checkHistory({ acknowledged, events, integrity, effects }: History): readonly string[] {
  const runs = Map.groupBy(
    events.map(({ runId, version, body }) => ({ runId, event: { ...(JSON.parse(body) as Event), version } })),
    ({ runId }) => runId,
  );
  const broken = [...runs].flatMap(([runId, items]) =>
    checkRun(items.map(({ event }) => event)).map((text) => `${runId}: ${text}`),
  );
  if (integrity !== 'ok') broken.push(`integrity of the database: ${integrity}`);
  for (const { runId, event } of acknowledged) {
    const stored = runs.get(runId ?? '')?.find((item) => item.event.version === event?.version);
    if (event && stored?.event.type !== event.type)
      broken.push(`acknowledged and lost: ${event.type} ${event.version}`);
  }
  const started = [...runs.values()].flat().filter(({ event }) => event.type === 'attempt-started');
  for (const [step, times] of Object.entries(Object.groupBy(effects, (name) => name))) {
    const attempts = started.filter(({ event }) => event.step === step).length;
    if ((times?.length ?? 0) > attempts)
      broken.push(`${step} ran ${times?.length} times in ${attempts} recorded attempts`);
  }
  return broken;
}

function checkRun(events: readonly Event[]): readonly string[] {
  const broken: string[] = [];
  const open = new Map<string, number>();
  const attempts = new Map<string, number>();
  const settled = new Set<string>();
  for (const [index, event] of events.entries()) {
    const { type, step = '', attempt = 0 } = event;
    if (event.version !== index + 1) broken.push(`version ${event.version} stands at place ${index + 1}`);
    if (events[index - 1]?.type === 'run-finished') broken.push(`${type} after the end of the run`);
    if (settled.has(step) && step) broken.push(`${type} of ${step} after its end`);
    if (type === 'attempt-started') {
      if (open.has(step)) broken.push(`two attempts of ${step} at once`);
      if (attempt !== (attempts.get(step) ?? 0) + 1) broken.push(`attempt ${attempt} of ${step} out of turn`);
      open.set(step, attempt);
      attempts.set(step, attempt);
    }
    if (type === 'attempt-finished') {
      if (open.get(step) !== attempt) broken.push(`attempt ${attempt} of ${step} ended without having begun`);
      if (event.result?.outcome === 'succeeded' && event.result.exitCode !== 0)
        broken.push(`${step} is green without exit code 0`);
      open.delete(step);
    }
    if (type === 'step-settled' || (type === 'attempt-finished' && event.next?.kind === 'settle')) settled.add(step);
  }
  const last = events.at(-1);
  if (last?.type !== 'run-finished') broken.push(`the run did not end: ${last?.type}`);
  if (open.size > 0) broken.push(`attempts without an end: ${[...open.keys()].join(', ')}`);
  return broken;
}
