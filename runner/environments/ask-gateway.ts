import { request } from 'node:http';
import { releaseHeader } from './release-header.ts';
import type { AppAnswer } from './site.ts';

const answerMs = 10_000;

/**
 * One request to a gateway for what it has under the name `host`. By a connection of its own: one that is kept open may lead to what the gateway has
 * forgotten. Undefined when nothing answers within ten seconds.
 */
export async function askGateway(url: URL, host: string): Promise<AppAnswer | undefined> {
  return answerOf(url, host).catch(() => undefined);
}

function answerOf(url: URL, host: string): Promise<AppAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<AppAnswer>();
  const signal = AbortSignal.timeout(answerMs);
  const asked = request(url, { headers: { host }, agent: false, signal }, (response) => {
    response.resume();
    const release = response.headers[releaseHeader.toLowerCase()];
    const answer = { status: response.statusCode ?? 0, release: typeof release === 'string' ? release : undefined };
    response.once('end', () => resolve(answer));
    response.once('error', reject);
  });
  asked.once('error', reject);
  asked.end();
  return promise;
}
