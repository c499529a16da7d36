import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { countRequests } from './audited-requests.ts';

/** What is asked of each runner: steps that do nothing. */
export const shapes = { one: 1, five: 5, twenty: 20 } as const;
export type Shape = keyof typeof shapes;

/** What one run cost. */
export interface Cost {
  readonly ms: number;
  /** With the start and the end of the runner's own process. */
  readonly wallMs?: number;
  /** Processor time of the runner, ms. */
  readonly cpuMs?: number;
  /** Resident memory of the runner, MB. */
  readonly megabytes?: number;
}

export interface Trial {
  readonly runner: string;
  readonly shape: Shape;
  /** It takes part in each round, or in every third. */
  readonly isSlow?: boolean;
  /** Namespaces whose accounts make the runner's requests. */
  readonly accounts?: readonly string[];
  readonly run: () => Promise<Cost>;
}

export interface Result extends Cost {
  readonly trial: Trial;
  readonly requests: number | undefined;
}

/** Every trial in turn, round after round, every other time from the last to the first: each leaves the node work for the next. `load` is that of the machine at the end of each. */
export async function runTrials(
  trials: readonly Trial[],
  rounds: number,
  clusterHome: string | undefined,
): Promise<{ readonly results: readonly Result[]; readonly loads: readonly number[] }> {
  const results: Result[] = [];
  const loads: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const wanted = trials.filter(({ isSlow }) => isSlow !== true || round % 3 === 0);
    for (const trial of round % 2 === 0 ? wanted : wanted.toReversed()) {
      const { accounts = [], run } = trial;
      const { result, requests } = await countRequests(clusterHome, accounts, () => anyMoment(run));
      results.push({ ...result, trial, requests: accounts.length > 0 ? requests : undefined });
    }
    loads.push(loadavg()[0] ?? NaN);
    console.error(`round ${round + 1} of ${rounds}, load ${loads.at(-1)?.toFixed(1)}`);
  }
  return { results, loads };
}

/** The kubelet looks once a second who has ended, so each begins at a moment of its own within that second. */
async function anyMoment<Value>(act: () => Promise<Value>): Promise<Value> {
  // Of what came before, the pods are ended and the objects removed.
  await sleep(1_500 + Math.random() * 1_000);
  return act();
}
