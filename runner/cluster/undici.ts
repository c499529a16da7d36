import { createRequire } from 'node:module';
import type * as undici from 'undici';

/**
 * The parts of undici that talk to one server. Its index loads `fetch`, WebSocket, caches and mocks as well: 13 MB of memory and 60 ms of
 * processor time in every process that runs a step. They are no public names, and the version of undici is fixed.
 */
const load = createRequire(import.meta.url);
const api = load('undici/lib/api/index.js') as Pick<typeof undici, 'request'>;

export const Agent = load('undici/lib/dispatcher/agent.js') as typeof undici.Agent;
export const buildConnector = load('undici/lib/core/connect.js') as typeof undici.buildConnector;

/** As undici's own method of that name, which its index gives to dispatchers. */
export function request(
  dispatcher: undici.Dispatcher,
  options: undici.Dispatcher.RequestOptions,
): Promise<undici.Dispatcher.ResponseData> {
  return Reflect.apply(api.request, dispatcher, [options]) as Promise<undici.Dispatcher.ResponseData>;
}

/** Only who has a proxy needs the rest. */
export function createProxyAgent(options: undici.ProxyAgent.Options): undici.Dispatcher {
  const { ProxyAgent } = load('undici') as typeof undici;
  return new ProxyAgent(options);
}
