import type { SeenPod } from './check-cluster.ts';

export interface PodStatus {
  readonly containerStatuses?: readonly {
    readonly name: string;
    readonly state?: {
      readonly running?: { readonly startedAt?: string };
      readonly terminated?: { readonly startedAt?: string; readonly finishedAt?: string; readonly exitCode?: number };
    };
  }[];
}

/** What a status says of the container of the step. */
export function readStep(status: PodStatus | undefined): Pick<SeenPod, 'startedAt' | 'finishedAt' | 'exitCode'> {
  const { running, terminated } = status?.containerStatuses?.find(({ name }) => name === 'step')?.state ?? {};
  return {
    startedAt: millis(terminated?.startedAt ?? running?.startedAt),
    finishedAt: millis(terminated?.finishedAt),
    exitCode: terminated?.exitCode,
  };
}

function millis(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}
