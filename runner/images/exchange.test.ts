import test from 'ava';
import { redirected } from './exchange.ts';

test('a redirect leads from TLS to TLS only, on this machine too', (t) => {
  const from = { method: 'GET', url: new URL('https://registry.example/v2/'), authorization: 'Basic x' } as const;
  for (const location of ['http://localhost:5000/x', 'http://registry.example/v2/']) {
    t.throws(() => redirected(from, location), { code: 'ERR_FORBIDDEN' }, location);
  }
  t.like(redirected(from, '/x'), { url: { href: 'https://registry.example/x' }, authorization: 'Basic x' });
  t.is(redirected(from, 'https://registry.example:444/x').authorization, undefined);
});
