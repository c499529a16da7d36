import { randomUUID } from 'node:crypto';
import type { Clock } from '../model/clock.ts';
import { SluiceError } from '../model/errors.ts';
import type { TraceParent } from '../model/trace-parent.ts';
import type { Delivery, Intake } from '../store/intake.ts';
import type { Store } from '../store/store.ts';

export interface ReplayDependencies {
  readonly intake: Pick<Intake, 'deliver'>;
  readonly store: Pick<Store, 'events'>;
  readonly clock: Clock;
  readonly newRunId: (at: number) => string;
}

/** Asks anew, word for word, for the run that a delivery led to, as a delivery of its own. ERR_CONFLICT when it led to none. */
export async function replayDelivery(
  { intake, store, clock, newRunId }: ReplayDependencies,
  { id: replayed, repositoryId, runId }: Delivery,
  traceParent?: TraceParent,
): Promise<Delivery> {
  const [first] = runId === undefined ? [] : await store.events(runId);
  if (first?.type !== 'run-requested')
    throw new SluiceError('ERR_CONFLICT', 'This delivery led to no run, so that there is nothing to replay.', {
      hint: 'Its `reason` says why. POST /v1/runs runs any commit.',
    });
  const [at, id] = [clock(), randomUUID()];
  const delivery = { id, repositoryId, forgeId: `replay ${id}`, event: 'replay', receivedAt: at, payload: '' };
  // Word for word but for the trace, which is that of who asks now, if of any.
  const request = { ...first.request, traceParent };
  const event = { type: 'run-requested', at, runId: newRunId(at), request } as const;
  return intake.deliver({
    delivery: { ...delivery, reason: `Delivery ${replayed} was replayed.` },
    boundTo: '',
    // Named by itself: the change has had its run, and gets another one.
    run: { change: id, event },
  });
}
