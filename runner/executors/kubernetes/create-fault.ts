import { ClusterError } from '../../cluster/cluster-error.ts';
import { AttemptEnded } from '../../model/attempt-ended.ts';
import { explainRefusal } from './explain/explain-refusal.ts';

/** What the API server's answer to a create means for the attempt: its refusal is an outcome, everything else is thrown on. */
export function createFault(error: unknown): unknown {
  if (!(error instanceof ClusterError) || (error.status !== 403 && error.status !== 422)) return error;
  const { reason, message } = explainRefusal(error.statusMessage);
  return new AttemptEnded(reason, message);
}
