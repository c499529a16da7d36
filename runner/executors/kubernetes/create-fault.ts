import { ClusterError } from '../../cluster/cluster-error.ts';
import { AttemptEnded } from '../../model/attempt-ended.ts';
import { explainRefusal } from './explain/explain-refusal.ts';

const refusals: ReadonlySet<string> = new Set(['Forbidden', 'Invalid', 'BadRequest']);

/** What the API server's answer to a create means for the attempt: its refusal is an outcome, everything else is thrown on. */
export function createFault(error: unknown): unknown {
  if (!(error instanceof ClusterError) || !refusals.has(error.reason)) return error;
  const { reason, message } = explainRefusal(error.message.replace(/^create [^:]*: /, ''));
  return new AttemptEnded(reason, message);
}
