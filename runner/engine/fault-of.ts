import { SluiceError, messageOf } from '../model/errors.ts';
import { verdictOf } from '../model/outcome.ts';
import type { Verdict } from '../model/outcome.ts';

/** What it means for an attempt that it could not be carried out: a full disk is nobody's defect, all else is ours. */
export function faultOf(error: unknown): Verdict {
  const full = error instanceof SluiceError && error.code === 'ERR_FULL';
  return verdictOf(full ? 'collect_failed' : 'internal_error', messageOf(error));
}
