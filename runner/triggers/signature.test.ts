import { createHmac } from 'node:crypto';
import test from 'ava';
import type { ForgeName, Headers } from './forge.ts';
import { forges } from './forges.ts';
import { hmac, secret } from './delivery-fixture.ts';

const body = Buffer.from('{"not":"read \u00e9 before it is verified"}');
const digest = hmac(secret, body);
const now = Date.UTC(2026, 10, 28);
const seconds = now / 1000;
const key = Buffer.alloc(32, 7);
const signingToken = `whsec_${key.toString('base64')}`;

const signedAt = (timestamp: number | string, signer = key): Headers => ({
  'webhook-id': 'evt_1',
  'webhook-timestamp': String(timestamp),
  'webhook-signature': `v1,${hmac(signer, `evt_1.${timestamp}.${body.toString()}`, 'base64')}`,
});

function verdict(forge: ForgeName, headers: Headers, as: string | undefined = secret): string {
  const verification = forges[forge].verify(headers, body, as, now);
  return verification.genuine ? 'genuine' : verification.reason;
}

/** The headers with which each forge proves that it knows the secret. */
const proofs: readonly (readonly [ForgeName, Headers, string])[] = [
  ['github', { 'x-hub-signature-256': `sha256=${digest}` }, secret],
  ['gitea', { 'x-gitea-signature': digest }, secret],
  ['gitea', { 'x-forgejo-signature': digest }, secret],
  ['gitea', { 'x-hub-signature-256': `sha256=${digest}` }, secret],
  ['gitlab', { 'x-gitlab-token': secret }, secret],
  ['gitlab', signedAt(seconds), signingToken],
  ['bitbucket', { 'x-hub-signature': `sha256=${digest}` }, secret],
];

for (const [forge, headers, known] of proofs) {
  const name = Object.keys(headers).at(-1) ?? '';

  test(`${forge} is genuine by ${name}, and only with the right secret, bytes and form`, (t) => {
    const { [name]: proof } = headers;
    if (typeof proof !== 'string') return t.fail();
    const given = (value: Headers[string]): string => verdict(forge, { ...headers, [name]: value }, known);
    t.is(given(proof), 'genuine');
    for (const wrong of ['', ' ', proof.slice(0, -1), `${proof}0`, proof.slice(1), `x${proof}`, proof.toUpperCase()])
      t.not(given(wrong), 'genuine', wrong);
    t.not(given(undefined), 'genuine');
    t.not(given([proof]), 'genuine', 'a repeated header proves nothing');
    // Node joins what was sent twice; only this header may hold several.
    t.is(given(`${proof}, ${proof}`) === 'genuine', name === 'webhook-signature');
    t.not(verdict(forge, headers, `${known}x`), 'genuine', 'the secret of another repository');
  });

  test(`${forge} refuses ${name} where no secret is configured`, (t) => {
    for (const none of [undefined, '']) {
      const keyless = createHmac('sha256', '').update(body).digest('hex');
      const forged = {
        ...headers,
        [name]: forge === 'gitlab' ? '' : `sha256=${keyless}`,
        'x-gitea-signature': keyless,
      };
      t.deepEqual(forges[forge].verify(headers, body, none, now), {
        genuine: false,
        reason: 'no secret is configured',
      });
      t.deepEqual(forges[forge].verify(forged, body, none, now), { genuine: false, reason: 'no secret is configured' });
    }
  });
}

test('one changed byte, or white space alone, is another body', (t) => {
  for (const changed of [`${body.toString()} `, body.toString().replace('not', 'now'), '', body.toString('latin1')]) {
    for (const [forge, headers, known] of proofs.filter(([, sent]) => !('x-gitlab-token' in sent)))
      t.false(forges[forge].verify(headers, Buffer.from(changed), known, now).genuine, `${forge} ${changed}`);
  }
});

test('SHA-1 alone is too weak, whatever it says', (t) => {
  const weak = createHmac('sha1', secret).update(body).digest('hex');
  t.is(verdict('github', { 'x-hub-signature': `sha1=${weak}` }), 'only the SHA-1 signature was sent');
  t.not(verdict('github', { 'x-hub-signature-256': `sha1=${weak}` }), 'genuine');
  t.not(verdict('bitbucket', { 'x-hub-signature': `sha1=${weak}` }), 'genuine');
  t.is(verdict('github', { 'x-hub-signature': `sha1=${weak}`, 'x-hub-signature-256': `sha256=${digest}` }), 'genuine');
});

test('Gitea: one wrong signature spoils the right ones beside it', (t) => {
  const right = { 'x-gitea-signature': digest, 'x-hub-signature-256': `sha256=${digest}` };
  t.is(verdict('gitea', right), 'genuine');
  t.not(verdict('gitea', { ...right, 'x-forgejo-signature': hmac('other', body) }), 'genuine');
  t.not(verdict('gitea', { ...right, 'x-hub-signature-256': [`sha256=${digest}`] }), 'genuine');
});

test('a proof of one forge is none for another', (t) => {
  t.not(verdict('github', { 'x-gitlab-token': secret }), 'genuine');
  t.not(verdict('gitlab', { 'x-hub-signature-256': `sha256=${digest}` }), 'genuine');
  t.not(verdict('bitbucket', { 'x-hub-signature-256': `sha256=${digest}` }), 'genuine');
});

test('GitLab: a signed time counts for five minutes to either side', (t) => {
  for (const offset of [0, 299, -299, 300, -300])
    t.is(verdict('gitlab', signedAt(seconds + offset), signingToken), 'genuine');
  for (const offset of [301, -301, 86_400, -86_400])
    t.regex(verdict('gitlab', signedAt(seconds + offset), signingToken), /five minutes/);
  for (const odd of ['', 'now', 'NaN', '-1', '1e9', '99999999999999', `${seconds}.5`])
    t.not(verdict('gitlab', signedAt(odd), signingToken), 'genuine', odd);
});

test('GitLab: what is signed is the id, the time and the body', (t) => {
  const fresh = signedAt(seconds);
  t.not(verdict('gitlab', { ...fresh, 'webhook-id': 'evt_2' }, signingToken), 'genuine');
  t.not(verdict('gitlab', { ...fresh, 'webhook-timestamp': String(seconds + 1) }, signingToken), 'genuine');
  t.not(verdict('gitlab', { ...fresh, 'webhook-id': undefined }, signingToken), 'genuine');
  t.not(verdict('gitlab', signedAt(seconds, Buffer.alloc(32, 8)), signingToken), 'genuine');
});

test('GitLab: while a key is changed, one of several signatures is enough', (t) => {
  const fresh = signedAt(seconds);
  const both = `v1,${'A'.repeat(43)}= ${String(fresh['webhook-signature'])}`;
  t.is(verdict('gitlab', { ...fresh, 'webhook-signature': both }, signingToken), 'genuine');
});

test('GitLab: where a signing token is configured, no token in a header is enough', (t) => {
  t.not(verdict('gitlab', { 'x-gitlab-token': signingToken }, signingToken), 'genuine');
  t.regex(verdict('gitlab', signedAt(seconds), 'whsec_c2hvcnQ='), /24 bytes/, 'a short key');
  t.regex(verdict('gitlab', signedAt(seconds), 'whsec_'), /24 bytes/);
  t.regex(verdict('gitlab', signedAt(seconds), 'whsec_!!'), /24 bytes/);
});
