import { messageOf, SluiceError } from '../../model/errors.ts';
import { reasons } from '../../model/outcome.ts';
import type { Session, Trial } from '../session.ts';
import { ok } from './check.ts';
import type { Check } from './check.ts';

const name = 'kubernetes';

/** A Job that does nothing, from its creation to the kubelet's word on it: all that a step needs is needed for it too. */
export async function clusterChecks(session: Session): Promise<readonly Check[]> {
  if (session.config.executor !== 'kubernetes') return [];
  try {
    return [judge(await session.tryStep())];
  } catch (error) {
    const hint = (error instanceof SluiceError ? error.hint : undefined) ?? 'See docs/kubernetes.md.';
    return [{ name, status: 'failed', message: messageOf(error), hint }];
  }
}

function judge({ verdict, place, waitedFor, milliseconds }: Trial): Check {
  const { outcome, reason, message } = verdict;
  if (outcome === 'succeeded') {
    const where = `in namespace ${wordOf(place, 'namespace')} on node ${wordOf(place, 'node')}`;
    return ok(name, `a Job ran ${where} within ${milliseconds} ms`);
  }
  if (reason === 'run_timeout') return unreached(place !== undefined, waitedFor);
  const hint = reason === undefined ? '' : reasons[reason].hint;
  return {
    name,
    status: 'failed',
    message: `a Job that does nothing ended as ${reason ?? outcome}: ${message ?? ''}`,
    hint,
  };
}

function wordOf(place: Trial['place'], name: string): string {
  const word = place?.[name];
  return typeof word === 'string' ? word : '?';
}

/** Nothing kept the pod from running that the cluster would tell: what is missing is its way back to us. */
function unreached(began: boolean, waitedFor: string | undefined): Check {
  if (began)
    return {
      name,
      status: 'failed',
      message: 'a Job that does nothing did not end within a minute',
      hint: 'See its pod.',
    };
  if (waitedFor !== undefined) {
    return {
      name,
      status: 'failed',
      message: `a Job did not start within a minute: ${waitedFor}`,
      hint: 'See docs/kubernetes.md.',
    };
  }
  return {
    name,
    status: 'failed',
    message: 'a pod was started, and its agent did not reach this machine within a minute',
    hint: 'Set SLUICE_AGENT_URL to an address at which pods reach this machine, and SLUICE_AGENT_PORT to its port.',
  };
}
