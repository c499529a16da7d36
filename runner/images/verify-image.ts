import type { KeyObject } from 'node:crypto';
import { SluiceError } from '../model/errors.ts';
import { withDeadline } from './deadline.ts';
import { envelopeType, openEnvelope } from './envelope.ts';
import { parseReference, placeOf } from './image-reference.ts';
import { descriptors, isObject, parseObject } from './manifest.ts';
import { predicateType, statementType } from './provenance.ts';
import { listReferrers } from './push-referrer.ts';
import type { RegistryAccess } from './registry-session.ts';
import { Repository } from './repository.ts';

export interface VerifiedImage {
  /** `HOST/REPOSITORY@sha256:…` */
  readonly image: string;
  /** The in-toto statement that the key has signed. */
  readonly statement: Readonly<Record<string, unknown>>;
}

const deadlineMs = 120_000;

/** Looks for the provenance of an image that a key has signed, for two minutes at most. ERR_GATE when there is none; else errors as those of `appendImage`. */
export async function verifyImage(
  reference: string,
  key: KeyObject,
  access: RegistryAccess,
  signal: AbortSignal,
): Promise<VerifiedImage> {
  return withDeadline(signal, deadlineMs, async (limited) => {
    const asked = parseReference(reference);
    const repository = new Repository(asked, access, limited);
    const { digest } = await repository.manifest(asked.digest ?? asked.tag ?? 'latest');
    const image = `${placeOf(asked)}@${digest}`;
    const referrers = (await listReferrers(repository, digest)).filter(
      ({ artifactType }) => artifactType === envelopeType,
    );
    for (const referrer of referrers) {
      const statement = await signedStatement(repository, referrer.digest, key);
      if (statement !== undefined && isAbout(statement, digest)) return { image, statement };
    }
    const others = referrers.length === 0 ? 'has no signed provenance' : 'has no provenance that this key has signed';
    throw new SluiceError('ERR_GATE', `${image} ${others}`, { hint: 'Make it with `sluice image append --sign KEY`.' });
  });
}

async function signedStatement(
  repository: Repository,
  digest: string,
  key: KeyObject,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { bytes } = await repository.manifest(digest);
  const [layer] = descriptors(parseObject(bytes, digest)['layers'], digest);
  const envelope = layer && (await repository.readBlob(layer)).toString();
  const statement = envelope && openEnvelope(envelope, statementType, key);
  return statement ? parseObject(Buffer.from(statement), digest) : undefined;
}

/** A signature proves nothing about another image than the one that the statement names. */
function isAbout(statement: Readonly<Record<string, unknown>>, digest: string): boolean {
  const { subject } = statement;
  const names = Array.isArray(subject)
    ? subject.map((each: unknown) => (isObject(each) ? each['digest'] : undefined))
    : [];
  return (
    statement['predicateType'] === predicateType &&
    names.some((each) => isObject(each) && `sha256:${String(each['sha256'])}` === digest)
  );
}
