import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf, SluiceError } from '../model/errors.ts';
import { isObject } from './manifest.ts';

/** Media type of an envelope, in registries. */
export const envelopeType = 'application/vnd.dsse.envelope.v1+json';

/**
 * A statement in an envelope with one signature by Ed25519.
 * Source: https://github.com/secure-systems-lab/dsse, protocol.md and envelope.md.
 */
export function sealStatement(statement: string, payloadType: string, key: KeyObject): string {
  const payload = Buffer.from(statement);
  const signature = sign(null, signedBytes(payloadType, payload), key);
  return JSON.stringify({
    payloadType,
    payload: payload.toString('base64'),
    signatures: [{ keyid: keyId(key), sig: signature.toString('base64') }],
  });
}

/** What an envelope holds; undefined when the key has not signed it, or it is of another type or no envelope at all. */
export function openEnvelope(text: string, payloadType: string, key: KeyObject): string | undefined {
  const envelope = parsed(text);
  const { payload, signatures } = envelope;
  if (envelope['payloadType'] !== payloadType || typeof payload !== 'string' || !Array.isArray(signatures))
    return undefined;
  const bytes = Buffer.from(payload, 'base64');
  const signed = signedBytes(payloadType, bytes);
  const isSigned = signatures.some((each: unknown) => {
    const signature = isObject(each) ? each['sig'] : undefined;
    return typeof signature === 'string' && verify(null, signed, key, Buffer.from(signature, 'base64'));
  });
  return isSigned ? bytes.toString() : undefined;
}

/** The pre-authentication encoding: type and content cannot be moved against each other. Lengths are those in bytes. */
function signedBytes(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** A hint which key to try: the SHA-256 of the public one (SubjectPublicKeyInfo, DER). */
function keyId(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex');
}

/** An Ed25519 key of a PEM file, the private one to sign or either to verify. ERR_USAGE for anything else. */
export async function readKey(file: string, use: 'sign' | 'verify'): Promise<KeyObject> {
  try {
    const text = await readFile(file, 'utf8');
    const key = use === 'sign' ? createPrivateKey(text) : createPublicKey(text);
    if (key.asymmetricKeyType === 'ed25519') return key;
    throw new Error(`it is of the type ${String(key.asymmetricKeyType)}`);
  } catch (error) {
    throw new SluiceError('ERR_USAGE', `${file} holds no Ed25519 key: ${messageOf(error)}`, {
      hint: 'Make one with `openssl genpkey -algorithm ed25519 -out key.pem`, its public part with `openssl pkey -in key.pem -pubout`.',
    });
  }
}
