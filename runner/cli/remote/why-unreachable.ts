import { messageOf } from '../../model/errors.ts';
import { oneLine } from '../view/words.ts';

const patienceMs = 10_000;

/**
 * Why there is no connection to a server, in words: a WebSocket is told nothing of what was answered, so that it is asked once more in a way that is. Never
 * rejects.
 */
export async function whyUnreachable(url: string, signal: AbortSignal): Promise<string> {
  try {
    const either = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    const reply = await fetch(`${url.replace(/\/+$/, '')}/healthz`, { redirect: 'manual', signal: either });
    await reply.body?.cancel();
    return whyNot(reply);
  } catch (error) {
    return causeOf(error);
  }
}

function whyNot({ status, headers }: Response): string {
  const elsewhere = headers.get('location');
  if (elsewhere !== null) return `it sends whoever asks to ${oneLine(elsewhere)} (${status})`;
  if (status !== 200) return `it answers ${status}`;
  if (headers.get('content-type')?.startsWith('application/json') !== true) return 'what answers there is no Sluice';
  return 'it answers, but takes no WebSocket; a proxy before it has to let them through';
}

/** `fetch` says why behind its own words, and of several addresses behind those again. */
function causeOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  const nearest: unknown = cause instanceof AggregateError ? cause.errors[0] : (cause ?? error);
  return oneLine(messageOf(nearest));
}
