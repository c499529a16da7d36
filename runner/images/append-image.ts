import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../model/errors.ts';
import { eachOf } from '../workspace/each-of.ts';
import { loadBase } from './base-image.ts';
import type { BaseImage } from './base-image.ts';
import { withDeadline } from './deadline.ts';
import { digestOf } from './digest.ts';
import { changeConfig } from './image-config.ts';
import type { AddedLayer, ConfigChanges } from './image-config.ts';
import { parseReference, placeOf, referenceText } from './image-reference.ts';
import type { ImageReference } from './image-reference.ts';
import { makeLayer } from './layer.ts';
import type { LayerSource } from './layer.ts';
import { mediaTypes } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import { parsePlatform, platformText } from './platform.ts';
import { moveBlob, pushBytes } from './move-blob.ts';
import type { BlobOrigin, Transfer } from './move-blob.ts';
import type { RegistryAccess } from './registry-session.ts';
import { Repository } from './repository.ts';
import { makeTemporaryFolder } from './temporary-files.ts';

/** What an image is to be made of. */
export interface ImageRequest {
  /** Reference of the image that stands below: `HOST/REPOSITORY:TAG` or `…@sha256:…`. */
  readonly base: string;
  /** `OS/ARCHITECTURE[/VARIANT]`; without it linux/amd64 of an index, and whatever a single image is for. */
  readonly platform?: string;
  /** Where it goes: `HOST/REPOSITORY[:TAG]`. Some registries remove what has no tag after a while. */
  readonly into: string;
  /** One layer each, the last one on top. What changes seldom, such as dependencies, is better a layer of its own. */
  readonly layers: readonly LayerSource[];
  readonly changes?: ConfigChanges;
  /** Commit, for `org.opencontainers.image.revision`. */
  readonly revision?: string;
  /** Address of the repository, for `org.opencontainers.image.source`. */
  readonly source?: string;
  /** When it was made, ms since the epoch; 0 unless it is given, since the same input is to make the same image. */
  readonly createdAt?: number;
}

/** An image that is in its registry. */
export interface AppendedImage {
  /** `HOST/REPOSITORY@sha256:…`: what is to be run. */
  readonly image: string;
  /** As it was asked for, with the tag. */
  readonly reference: string;
  readonly manifest: Descriptor;
  readonly base: { readonly name: string; readonly digest: string; readonly platform: string };
  /** From the bottom up; sizes are those of the compressed layers in bytes. */
  readonly layers: readonly PushedLayer[];
}

export interface PushedLayer {
  readonly digest: string;
  readonly size: number;
  readonly origin: BlobOrigin;
}

const defaultDeadlineMs = 15 * 60_000;
const atOnce = 4;

/**
 * Makes an image without a daemon, a Containerfile or rights: files become layers on a base image, and the image is
 * pushed. Same files, same base, same changes: same digest. Nothing is kept in memory but names; a compressed layer lies
 * in the folder for temporary files until it is pushed. Nothing is left behind there, and a push that was cut off can be
 * repeated: what the registry has is not sent again. The answer was read back from the registry.
 *
 * `signal` ends it with ERR_ABORTED; longer than `deadlineMs` (15 minutes) is ERR_SERVICE. Other errors: `RegistryError`
 * with its reasons, ERR_USAGE for a request that is none, ERR_WORKSPACE for files that cannot be in an image.
 */
export async function appendImage(
  request: ImageRequest,
  access: RegistryAccess,
  signal: AbortSignal,
  deadlineMs = defaultDeadlineMs,
): Promise<AppendedImage> {
  const folder = await makeTemporaryFolder();
  try {
    return await withDeadline(signal, deadlineMs, (limited) => append(request, access, folder, limited));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function append(
  request: ImageRequest,
  access: RegistryAccess,
  folder: string,
  signal: AbortSignal,
): Promise<AppendedImage> {
  const [from, into] = [parseReference(request.base), parseReference(request.into)];
  if (into.digest !== undefined) throw digestGiven(into);
  const platform = request.platform === undefined ? undefined : parsePlatform(request.platform);
  const mountFrom = from.host === into.host && from.repository !== into.repository ? from.repository : undefined;
  const source = new Repository(from, access, signal);
  const target = new Repository(into, access, signal, { push: true, mountFrom });
  const base = await loadBase(source, from, platform);
  const layers = await pushLayers(request, base, { source, target, mountFrom, folder }, signal);
  const manifest = await pushManifest(request, base, layers, target, into);
  return {
    image: `${placeOf(into)}@${manifest.digest}`,
    reference: referenceText(into),
    manifest,
    base: { name: base.name, digest: base.digest, platform: platformText(base.platform) },
    layers: layers.map(({ descriptor: { digest, size }, origin }) => ({ digest, size, origin })),
  };
}

interface ReadyLayer {
  readonly descriptor: Descriptor;
  readonly origin: BlobOrigin;
  /** Of a layer that is ours. */
  readonly added?: AddedLayer;
}

/** The layers of the base and those that are added, all of them in the target. After a failure, what was begun is waited for. */
async function pushLayers(
  { layers }: ImageRequest,
  base: BaseImage,
  transfer: Transfer,
  signal: AbortSignal,
): Promise<readonly ReadyLayer[]> {
  const moved = new Map<string, BlobOrigin>();
  const made: ReadyLayer[] = [];
  const work = [
    ...layers.map((source, index) => async () => {
      made[index] = await addLayer(source, join(transfer.folder, `layer-${index}`), transfer.target, signal);
    }),
    ...new Map(base.layers.map((layer) => [layer.digest, layer])).values().map((layer) => async () => {
      moved.set(layer.digest, await moveBlob(layer, transfer));
    }),
  ];
  await eachOf(work, atOnce, (piece) => piece());
  return [
    ...base.layers.map((descriptor) => ({ descriptor, origin: moved.get(descriptor.digest) ?? 'present' })),
    ...made,
  ];
}

async function addLayer(
  source: LayerSource,
  file: string,
  target: Repository,
  signal: AbortSignal,
): Promise<ReadyLayer> {
  const { descriptor, diffId, destination, blob } = await makeLayer(source, file, signal);
  const isThere = await target.hasBlob(descriptor.digest);
  if (!isThere) await target.upload(blob);
  return {
    descriptor,
    origin: isThere ? 'present' : 'uploaded',
    added: { diffId, comment: `files in ${destination}` },
  };
}

/** Stores configuration and manifest, and reads the manifest back by its digest. */
async function pushManifest(
  request: ImageRequest,
  base: BaseImage,
  layers: readonly ReadyLayer[],
  target: Repository,
  into: ImageReference,
): Promise<Descriptor> {
  const added = layers.flatMap((layer) => layer.added ?? []);
  const created = new Date(request.createdAt ?? 0).toISOString();
  const config = changeConfig(base.config, base.layers.length, request.changes ?? {}, added, created);
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await pushBytes(target, mediaTypes.config, JSON.stringify(config)),
    layers: layers.map(({ descriptor: { mediaType, digest, size } }) => ({ mediaType, digest, size })),
    annotations: annotationsOf(request, base),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = digestOf(bytes);
  await target.putManifest(into.tag ?? digest, mediaTypes.manifest, bytes);
  const stored = await target.manifest(digest);
  return { mediaType: mediaTypes.manifest, digest: stored.digest, size: stored.bytes.length };
}

/** Source: image-spec 1.1, annotations.md. */
function annotationsOf(
  { revision, source }: ImageRequest,
  { name, digest }: BaseImage,
): Readonly<Record<string, string>> {
  return {
    'org.opencontainers.image.base.digest': digest,
    'org.opencontainers.image.base.name': name,
    ...(revision !== undefined && { 'org.opencontainers.image.revision': revision }),
    ...(source !== undefined && { 'org.opencontainers.image.source': source }),
  };
}

function digestGiven(into: ImageReference): SluiceError {
  return new SluiceError('ERR_USAGE', `${referenceText(into)} names a digest, which only the image itself decides`, {
    hint: 'Give HOST/REPOSITORY, with a tag if people are to find it by one.',
  });
}
