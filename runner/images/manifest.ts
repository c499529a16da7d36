import { RegistryError } from './registry-error.ts';

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Source: image-spec 1.1, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Media types are OCI's, those of Docker translated: the bytes that they name are the same. */
export type Manifest =
  | { readonly kind: 'image'; readonly config: Descriptor; readonly layers: readonly Descriptor[] }
  | { readonly kind: 'index'; readonly manifests: readonly Descriptor[] };

const translated: Readonly<Record<string, string>> = {
  'application/vnd.docker.container.image.v1+json': mediaTypes.config,
  'application/vnd.docker.image.rootfs.diff.tar': 'application/vnd.oci.image.layer.v1.tar',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': mediaTypes.layer,
  [mediaTypes.dockerManifest]: mediaTypes.manifest,
};

/** `corrupt` for bytes that are no manifest, `unsupported` for one of a kind that nothing can be appended to. */
export function readManifest(bytes: Buffer, mediaType: string, place: string): Manifest {
  const object = parseObject(bytes, place);
  const type = typeof object['mediaType'] === 'string' ? object['mediaType'] : mediaType;
  if (type === mediaTypes.index || type === mediaTypes.dockerList) {
    return { kind: 'index', manifests: descriptors(object['manifests'], place) };
  }
  if (type !== mediaTypes.manifest && type !== mediaTypes.dockerManifest) {
    throw new RegistryError('unsupported', `${place} is of the type ${JSON.stringify(type)}, which is no image`, {
      hint: 'Give an image of OCI, or of Docker since 2016 (schema 2).',
    });
  }
  const config = descriptorOf(object['config'], place);
  if (config.mediaType !== mediaTypes.config) {
    throw new RegistryError('unsupported', `${place} is an artefact of the type ${config.mediaType}, and no image`);
  }
  return { kind: 'image', config, layers: descriptors(object['layers'], place) };
}

/** A JSON object. */
export function parseObject(bytes: Buffer, place: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  throw new RegistryError('corrupt', `${place} is no JSON object`);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list of descriptors, of a manifest at `place`. */
export function descriptors(value: unknown, place: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw new RegistryError('corrupt', `${place} lacks the list of its parts`);
  return value.map((entry) => descriptorOf(entry, place));
}

function descriptorOf(value: unknown, place: string): Descriptor {
  const { mediaType, digest, size, platform, artifactType, annotations } = isObject(value) ? value : {};
  if (typeof mediaType !== 'string' || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new RegistryError('corrupt', `${place} describes a part without a type or a size`);
  }
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw new RegistryError('unsupported', `${place} names a part by a digest that is not sha256`);
  }
  return {
    mediaType: translated[mediaType] ?? mediaType,
    digest,
    size,
    ...(isPlatform(platform) && { platform }),
    ...(typeof artifactType === 'string' && { artifactType }),
    ...(isTexts(annotations) && { annotations }),
  };
}

function isPlatform(value: unknown): value is Platform {
  return isObject(value) && typeof value['os'] === 'string' && typeof value['architecture'] === 'string';
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
}
