import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { openApi } from './api-fixture.ts';

const pipeline = 'pipeline: p\nsteps: { a: { run: "true" } }\n';

test('tokens of the configured issuer are taken, with the role and repositories that they claim, and no others', async (t) => {
  const [good, strange] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(good.publicKey)), kid: 'k', alg: 'ES256' }] });
  const server = createServer((_request, response) => response.setHeader('content-type', 'application/json').end(keys));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  const issuer = {
    issuer: 'https://id.test',
    audience: 'sluice',
    jwksUrl,
    roleClaim: 'role',
    repositoriesClaim: 'repos',
  };
  const { ask, run } = await openApi(t, { issuer });
  const [shop, bank] = [await run(pipeline, 'shop'), await run(pipeline, 'bank')];
  const now = Math.floor(Date.now() / 1_000);
  const claims = { role: 'viewer', repos: ['shop'], iss: 'https://id.test', aud: 'sluice', sub: 'ada', exp: now + 60 };
  const jwt = (change: object, key = good.privateKey) =>
    new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(key);
  const statusOf = async (token: string, path = `/v1/runs/${shop}`) => (await ask(path, { token })).status;

  t.is(await statusOf(await jwt({})), 200);
  t.is(await statusOf(await jwt({}), `/v1/runs/${bank}`), 404);
  t.is(await statusOf(await jwt({ repos: ['*'] }), `/v1/runs/${bank}`), 200);
  t.is(await statusOf(await jwt({ repos: undefined })), 404, 'no list, no repository');
  t.like(await ask(`/v1/runs/${shop}/cancel`, { method: 'POST', token: await jwt({}) }), { status: 403 });
  for (const [why, change] of [
    ['no role', { role: undefined }],
    ['a role that there is not', { role: 'root' }],
    ['another audience', { aud: 'other' }],
    ['another issuer', { iss: 'https://evil.test' }],
    ['expired', { exp: now - 60 }],
    ['without an end', { exp: undefined }],
    ['not yet', { nbf: now + 600 }],
    ['without a subject', { sub: undefined }],
  ] as const) {
    t.is(await statusOf(await jwt(change)), 401, why);
  }
  t.is(await statusOf(await jwt({}, strange.privateKey)), 401, 'signed by a stranger');
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  t.is(await statusOf(`${part({ alg: 'none' })}.${part(claims)}.`), 401, 'not signed');
});

test('without a configured issuer no token of others is taken', async (t) => {
  const { ask } = await openApi(t);
  t.is((await ask('/v1/runs', { token: 'e30.e30.e30' })).status, 401);
});
