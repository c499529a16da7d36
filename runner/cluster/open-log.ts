import type { Readable } from 'node:stream';
import { Patience, aborted } from './abort.ts';
import { withQuery } from './call.ts';
import type { Call } from './call.ts';
import type { LogOptions } from './cluster-client.ts';
import { breakdown, lateness } from './read-failure.ts';
import { pathOf, pods } from './resources.ts';
import type { Sender } from './sender.ts';

/**
 * The log of a container as a stream of bytes. A log that is followed may be quiet for ever, before its first byte too,
 * so only the signals end it; any other has to begin within the deadline, and every piece of it has to follow in that time.
 */
export async function openLog(
  sender: Sender,
  at: { readonly namespace: string; readonly name: string; readonly container: string },
  options: LogOptions,
  { closing, deadlineMs }: { readonly closing: AbortSignal; readonly deadlineMs: number },
): Promise<Readable> {
  const { container, namespace, name } = at;
  const { follow, tailLines, limitBytes, sinceTime, timestamps, previous } = options;
  const query = { container, follow, tailLines, limitBytes, sinceTime, timestamps, previous };
  const path = withQuery(pathOf(pods, { namespace, name, part: 'log' }), query);
  const call: Call = { method: 'GET', path, title: `log of ${namespace}/${name}/${container}` };
  const patience = new Patience([options.signal, closing], follow ? undefined : deadlineMs);
  try {
    const bodyTimeoutMs = follow ? 0 : deadlineMs;
    const body = await sender.send(call, { use: 'streams', signal: patience.signal, bodyTimeoutMs });
    patience.pause();
    body.once('close', () => patience.release());
    // Whoever reads it gets the error; when nobody does, it must not end the process.
    body.on('error', () => undefined);
    return body;
  } catch (error) {
    patience.release();
    if (patience.abandoned) throw aborted(call.title);
    throw patience.signal.aborted ? lateness(call, true) : breakdown(call, error);
  }
}
