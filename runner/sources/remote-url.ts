import { SluiceError } from '../model/errors.ts';

/** By which protocol git fetches from a URL. ERR_SOURCE for one that Sluice does not fetch from. */
export function protocolOf(url: string): 'https' | 'http' | 'ssh' | 'file' {
  const [, scheme] = /^([a-z]+):\/\//.exec(url) ?? [];
  if (scheme === 'https' || scheme === 'http' || scheme === 'ssh' || scheme === 'file') return scheme;
  if (/^[\w.-]+@[\w.-]+:/.test(url)) return 'ssh';
  if (url.startsWith('/')) return 'file';
  throw new SluiceError('ERR_SOURCE', `${JSON.stringify(url)} is no URL that Sluice fetches from`, {
    hint: 'Use https://, http://, ssh://, user@host:path or the path of a folder.',
  });
}
