import { setTimeout as sleep } from 'node:timers/promises';
import type { Release } from '../environments/release.ts';
import { healthPath } from './deploy-test.ts';
import type { OperationContext } from './operation.ts';
import type { Latency } from './production.ts';

const askMs = 200;
const healthMs = 1_000;
const baselineAnswers = 20;
/** Fewer answers prove nothing. */
const fewest = 5;
const mostInRow = 3;
const mostShare = 0.05;
/** A share needs that many answers to mean something, as long as more are to come. */
const enough = 40;
/** Slower than this against the release before is a fault; the second is for answers that are quick anyway. */
const slower = 3;
const slowerByMs = 200;

export interface Soak {
  /** ms since 1970. */
  readonly until: number;
  readonly baseline: Latency | undefined;
}

interface Count {
  readonly times: number[];
  asked: number;
  bad: number;
  badInRow: number;
  last: string;
}

/**
 * Asks the live address until the soak is over. Answers why the release does not hold, as soon as that is known; undefined for one that does. Too
 * few answers are no proof, and count as a fault (argo-rollouts#4479).
 */
export async function soak(
  context: OperationContext,
  release: Release,
  { until, baseline }: Soak,
): Promise<string | undefined> {
  const { site, clock, signal } = context;
  const count: Count = { times: [], asked: 0, bad: 0, badInRow: 0, last: '' };
  let healthAt = 0;
  do {
    if (signal.aborted) return 'the step was stopped before the soak was over';
    await ask(context, release, count);
    const fault = faultOf(count, baseline, enough);
    if (fault !== undefined) return fault;
    if (clock() - healthAt >= healthMs) {
      healthAt = clock();
      const health = await site.health('production', release);
      if (health.state === 'failed') return health.message;
    }
    await sleep(Math.max(0, Math.min(askMs, until - clock())), undefined, { signal }).catch(() => undefined);
  } while (clock() < until || count.asked < fewest);
  // Those of a short soak are few, but all there are.
  return faultOf(count, baseline, fewest);
}

async function ask({ site, clock }: OperationContext, release: Release, count: Count): Promise<void> {
  const askedAt = clock();
  const answer = await site.ask('production', healthPath(release));
  count.asked += 1;
  if (answer !== undefined && answer.status < 500 && answer.release === release.name) {
    count.badInRow = 0;
    count.times.push(clock() - askedAt);
    return;
  }
  count.bad += 1;
  count.badInRow += 1;
  count.last = answer === undefined ? 'no answer' : `${answer.status} from ${answer.release ?? 'no release'}`;
}

function faultOf(
  { times, asked, bad, badInRow, last }: Count,
  baseline: Latency | undefined,
  least: number,
): string | undefined {
  if (badInRow >= mostInRow) return `${badInRow} requests in a row went wrong, the last one: ${last}`;
  if (asked < least) return undefined;
  // One may be an accident, however few there are.
  if (bad > 1 && bad / asked > mostShare) return `${bad} of ${asked} requests went wrong, the last one: ${last}`;
  if (baseline === undefined) return undefined;
  const { p95 } = latencyOf(times);
  const limit = Math.max(baseline.p95 * slower, baseline.p95 + slowerByMs);
  // Of a few answers the slowest alone is the 95th percentile, and may be an accident too.
  const isSlow = times.filter((ms) => ms > limit).length > 1;
  return isSlow && p95 > limit
    ? `95 of 100 answers take up to ${p95} ms, with the release before ${baseline.p95} ms`
    : undefined;
}

/** How quick the release answers that is live now. Undefined when it does not answer well. */
export async function measure({ site, clock, signal }: OperationContext, path: string): Promise<Latency | undefined> {
  const times: number[] = [];
  for (let asked = 0; asked < baselineAnswers && !signal.aborted; asked += 1) {
    const askedAt = clock();
    const answer = await site.ask('production', path);
    if (answer !== undefined && answer.status < 500) times.push(clock() - askedAt);
  }
  return times.length < fewest ? undefined : latencyOf(times);
}

function latencyOf(times: readonly number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}
