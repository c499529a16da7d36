import { digestOf } from './digest.ts';
import { mediaTypes, readManifest } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import { pushBytes } from './move-blob.ts';
import { RegistryError } from './registry-error.ts';
import type { Repository } from './repository.ts';

/** A document about an image. */
export interface Referrer {
  /** What it is about. */
  readonly subject: Descriptor;
  readonly mediaType: string;
  readonly text: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const listTries = 5;

/**
 * Stores a document beside its image, so that whoever has the image's digest finds it: by the referrers API of the
 * registry, or where that is missing by an index under the tag `sha256-…`. Answers the digest of its manifest.
 * Source: distribution-spec 1.1, "Pushing Manifests with Subject" and "Referrers Tag Schema".
 */
export async function pushReferrer(
  target: Repository,
  { subject, mediaType, text, annotations }: Referrer,
): Promise<Descriptor> {
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaType,
    config: await pushBytes(target, mediaTypes.empty, '{}'),
    layers: [await pushBytes(target, mediaType, text)],
    subject,
    annotations,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = digestOf(bytes);
  const descriptor = {
    mediaType: mediaTypes.manifest,
    digest,
    size: bytes.length,
    artifactType: mediaType,
    annotations,
  };
  const { isListed } = await target.putManifest(digest, mediaTypes.manifest, bytes);
  // Some registries keep the list, and forget to say so in the answer.
  if (!isListed && !(await target.keepsReferrers(subject.digest))) await listByTag(target, subject, descriptor);
  return descriptor;
}

/** Registries cannot change a tag on a condition: whoever was overwritten by another adds itself once more. */
async function listByTag(target: Repository, { digest }: Descriptor, added: Descriptor): Promise<void> {
  const tag = digest.replace(':', '-');
  for (let tries = 0; tries < listTries; tries += 1) {
    const listed = await referrersByTag(target, tag);
    if (listed.some((entry) => entry.digest === added.digest)) return;
    const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [...listed, added] };
    await target.putManifest(tag, mediaTypes.index, Buffer.from(JSON.stringify(index)));
  }
  if ((await referrersByTag(target, tag)).some((entry) => entry.digest === added.digest)) return;
  throw new RegistryError('refused', `The list of referrers ${tag} is changed by others all the time`);
}

/** What is said about an image, as far as its registry lists it. */
export async function listReferrers(repository: Repository, digest: string): Promise<readonly Descriptor[]> {
  return (await repository.referrers(digest)) ?? referrersByTag(repository, digest.replace(':', '-'));
}

async function referrersByTag(target: Repository, tag: string): Promise<readonly Descriptor[]> {
  const found = await target.findManifest(tag);
  if (!found) return [];
  const manifest = readManifest(found.bytes, found.mediaType, tag);
  return manifest.kind === 'index' ? manifest.manifests : [];
}
