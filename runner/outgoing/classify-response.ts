import type { Answer } from './receiver.ts';

/** Longer waits than a day are no use to anybody. */
const longestMs = 24 * 3_600_000;

interface Response {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The beginning of what it said. */
  readonly text: string;
}

/**
 * What an answer over HTTP means. What somebody may put right (an address that moved, a token, a service that is down)
 * is tried again; a request that this service will never take is given up. `now` in ms since the epoch.
 */
export function classifyResponse({ status, headers, text }: Response, now: number): Answer {
  if (status >= 200 && status < 300) return { kind: 'done' };
  const said = text.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
  const reason = `it answered ${status}${said === '' ? '' : `: ${said}`}`;
  if (status >= 300 && status < 400)
    return { kind: 'retry', reason: `${reason}; redirects are not followed, configure the new address` };
  const afterMs = askedWait(headers, now);
  if (afterMs !== undefined) return { kind: 'retry', reason, afterMs };
  const mayChange = status >= 500 || [401, 403, 404, 408, 425, 429].includes(status);
  return { kind: mayChange ? 'retry' : 'give-up', reason };
}

/** `Retry-After` in seconds or as a date; GitHub's limit says when it ends, in seconds since the epoch. */
function askedWait(headers: Response['headers'], now: number): number | undefined {
  const after = headers['retry-after'];
  if (typeof after === 'string') {
    const ms = /^\d+$/.test(after) ? Number(after) * 1_000 : Date.parse(after) - now;
    return Number.isNaN(ms) ? undefined : clamp(ms);
  }
  const [left, reset] = [headers['x-ratelimit-remaining'], headers['x-ratelimit-reset']];
  if (left !== '0' || typeof reset !== 'string' || !/^\d+$/.test(reset)) return undefined;
  return clamp(Number(reset) * 1_000 - now);
}

function clamp(ms: number): number {
  return Math.min(longestMs, Math.max(0, ms));
}
