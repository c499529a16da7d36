import { request } from 'node:http';

/** Domain of the hosts that tests give their backends. */
export const domain = 'sluice.test';

const answerMs = 10_000;

export interface Answer {
  readonly status: number;
  /** The release that answered, by the word of the gateway. */
  readonly release: string | undefined;
  readonly body: string;
}

/** One request by a connection of its own. The gateway of the tests is a process of this machine, which knows no names below the domain. */
export function askGateway(host: string, path: string, { method = 'GET', body = '' } = {}): Promise<Answer> {
  const { E2E_GATEWAY = '' } = process.env;
  const { port, hostname } = new URL(E2E_GATEWAY);
  const address = hostname.endsWith(`.${domain}`) ? '127.0.0.1' : hostname;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const options = { host: address, port, path, method, headers: { host }, agent: false, timeout: answerMs };
  const asked = request(options, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.once('error', reject);
    response.once('end', () => {
      const release = response.headers['sluice-release'];
      resolve({
        status: response.statusCode ?? 0,
        release: typeof release === 'string' ? release : undefined,
        body: Buffer.concat(chunks).toString(),
      });
    });
  });
  asked.once('timeout', () => asked.destroy(new Error(`no answer from ${host}${path} in ${answerMs} ms`)));
  asked.once('error', reject);
  asked.end(body);
  return promise;
}
