import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { openEnvelope, readKey, sealStatement } from './envelope.ts';
import { folderWith } from './folder-fixture.ts';

const type = 'application/vnd.in-toto+json';
const statement = '{"_type":"https://in-toto.io/Statement/v1","note":"Größe"}';
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

test('E16: what a key has signed is opened by its public part, and by no other', (t) => {
  const envelope = sealStatement(statement, type, privateKey);
  t.is(openEnvelope(envelope, type, publicKey), statement);
  t.is(openEnvelope(envelope, type, generateKeyPairSync('ed25519').publicKey), undefined);
});

test('E16: an envelope that was changed is not opened', (t) => {
  const envelope = JSON.parse(sealStatement(statement, type, privateKey)) as Record<string, unknown>;
  const changed: readonly Record<string, unknown>[] = [
    { ...envelope, payload: Buffer.from(statement.replace('v1', 'v2')).toString('base64') },
    { ...envelope, payloadType: 'text/plain' },
    { ...envelope, signatures: [] },
    { ...envelope, signatures: [{ sig: '' }, null] },
  ];
  for (const each of changed) t.is(openEnvelope(JSON.stringify(each), type, publicKey), undefined);
  t.is(openEnvelope(JSON.stringify({ ...envelope, payloadType: 'text/plain' }), 'text/plain', publicKey), undefined);
  t.is(openEnvelope('no json', type, publicKey), undefined);
});

test('a file without an Ed25519 key is told, with the way to make one', async (t) => {
  const folder = folderWith(t, { 'no.pem': 'nothing' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  writeFileSync(join(folder, 'rsa.pem'), rsa.export({ type: 'pkcs8', format: 'pem' }));
  for (const file of ['no.pem', 'rsa.pem', 'missing.pem']) {
    await t.throwsAsync(
      readKey(join(folder, file), 'sign'),
      { code: 'ERR_USAGE', message: /holds no Ed25519 key/ },
      file,
    );
  }
  writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  t.is(
    openEnvelope(sealStatement(statement, type, await readKey(join(folder, 'key.pem'), 'sign')), type, publicKey),
    statement,
  );
});
