import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import test from 'ava';
import type { Json } from '../../model/json.ts';
import { PodTokens } from './pod-token.ts';

const now = 1_800_000_000_000;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = {
  keys: [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa', alg: 'RS256', use: 'sig' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec', alg: 'ES256', use: 'sig' },
  ],
} as unknown as Json;

const claims = {
  aud: ['sluice'],
  exp: now / 1000 + 600,
  nbf: now / 1000 - 5,
  'kubernetes.io': { namespace: 'tasks', pod: { name: 'r-1-x', uid: 'uid-1' } },
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(body: unknown, header = { alg: 'RS256', kid: 'rsa' }, key: KeyObject = rsa.privateKey): string {
  const signed = `${encode(header)}.${encode(body)}`;
  const signature =
    header.alg === 'ES256'
      ? sign('SHA256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
      : sign('RSA-SHA256', Buffer.from(signed), key);
  return `${signed}.${signature.toString('base64url')}`;
}

function tokens(fetch = () => Promise.resolve(jwks)): PodTokens {
  return new PodTokens(fetch, () => now);
}

test('a token of a pod names the pod, whichever key signed it', async (t) => {
  const pod = { namespace: 'tasks', pod: 'r-1-x', uid: 'uid-1' };
  t.deepEqual(await tokens().verify(token(claims)), pod);
  t.deepEqual(await tokens().verify(token(claims, { alg: 'ES256', kid: 'ec' }, ec.privateKey)), pod);
});

const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const refused: Readonly<Record<string, string>> = {
  'made for somebody else': token({ ...claims, aud: ['https://kubernetes.default.svc'] }),
  'for an audience that only begins the same': token({ ...claims, aud: 'sluice2' }),
  'too old': token({ ...claims, exp: now / 1000 - 60 }),
  'not valid yet': token({ ...claims, nbf: now / 1000 + 60 }),
  'without an end': token({ ...claims, exp: undefined }),
  'of an account and no pod': token({ ...claims, 'kubernetes.io': { namespace: 'tasks' } }),
  'signed by somebody else': token(claims, { alg: 'RS256', kid: 'rsa' }, stranger.privateKey),
  'of an unknown key': token(claims, { alg: 'RS256', kid: 'other' }, stranger.privateKey),
  'without a signature': `${encode({ alg: 'none', kid: 'rsa' })}.${encode(claims)}.`,
  'signed with the public key as a secret': token(claims, { alg: 'HS256', kid: 'rsa' }),
  'changed after it was signed': token(claims).replace(/\.[^.]+\./, `.${encode({ ...claims, aud: 'sluice', x: 1 })}.`),
  'with a fourth part': `${token(claims)}.x`,
  'no token at all': 'hello',
  empty: '',
};

for (const [what, text] of Object.entries(refused)) {
  test(`a token is refused that is ${what}`, async (t) => {
    await t.throwsAsync(tokens().verify(text), { code: 'ERR_USAGE' });
  });
}

test('keys are fetched once, and again when the API server signs with a new one', async (t) => {
  let fetched = 0;
  let known: Json = { keys: [] };
  let clock = now;
  const all = new PodTokens(
    () => {
      fetched += 1;
      return Promise.resolve(known);
    },
    () => clock,
  );
  await t.throwsAsync(all.verify(token(claims)), { code: 'ERR_USAGE' });
  await t.throwsAsync(all.verify(token(claims)), { code: 'ERR_USAGE' });
  t.is(fetched, 1);
  known = jwks;
  clock += 6_000;
  await all.verify(token(claims));
  await all.verify(token(claims));
  t.is(fetched, 2);
});

test('an API server that cannot be asked is no reason to refuse', async (t) => {
  const failing = tokens(() => Promise.reject(new Error('connection refused')));
  await t.throwsAsync(failing.verify(token(claims)), { message: 'connection refused' });
});
