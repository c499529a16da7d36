import { platformOf } from './image-config.ts';
import { referenceText } from './image-reference.ts';
import type { ImageReference } from './image-reference.ts';
import { mediaTypes, parseObject, readManifest } from './manifest.ts';
import type { Descriptor, Platform } from './manifest.ts';
import { choosePlatform, fits, platformText } from './platform.ts';
import { RegistryError } from './registry-error.ts';
import type { Repository } from './repository.ts';

export interface BaseImage {
  /** The reference that it was found by. */
  readonly name: string;
  /** Of the image itself, also where the reference names an index. */
  readonly digest: string;
  readonly platform: Platform;
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: readonly Descriptor[];
}

const defaultPlatform: Platform = { os: 'linux', architecture: 'amd64' };
const layerTypes: ReadonlySet<string> = new Set([
  mediaTypes.layer,
  'application/vnd.oci.image.layer.v1.tar',
  'application/vnd.oci.image.layer.v1.tar+zstd',
]);

/** The image for a platform that a reference names; without a platform linux/amd64 of an index. */
export async function loadBase(
  repository: Repository,
  reference: ImageReference,
  wanted: Platform | undefined,
): Promise<BaseImage> {
  const named =
    reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
  const name = referenceText(named);
  const found = await repository.manifest(named.digest ?? named.tag ?? '');
  let [digest, manifest] = [found.digest, readManifest(found.bytes, found.mediaType, name)];
  if (manifest.kind === 'index') {
    ({ digest } = choosePlatform(manifest.manifests, wanted ?? defaultPlatform, name));
    const chosen = await repository.manifest(digest);
    manifest = readManifest(chosen.bytes, chosen.mediaType, name);
  }
  if (manifest.kind === 'index') throw new RegistryError('unsupported', `${name} is an index of indexes`);
  refuseForeign(manifest.layers, name);
  const config = parseObject(await repository.readBlob(manifest.config), `The configuration of ${name}`);
  const platform = platformOf(config);
  if (wanted && !fits(platform, wanted)) {
    throw new RegistryError('no_platform', `${name} is for ${platformText(platform)}, not for ${platformText(wanted)}`);
  }
  return { name, digest, platform, config, layers: manifest.layers };
}

/** Layers that only their maker may distribute, and kinds that nobody knows. */
function refuseForeign(layers: readonly Descriptor[], name: string): void {
  const foreign = layers.find(({ mediaType }) => !layerTypes.has(mediaType));
  if (foreign)
    throw new RegistryError('unsupported', `${name} has a layer of the type ${JSON.stringify(foreign.mediaType)}`);
}
