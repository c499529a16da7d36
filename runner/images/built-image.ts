import { withDeadline } from './deadline.ts';
import { parseReference, placeOf } from './image-reference.ts';
import { parseObject } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
import type { RegistryAccess } from './registry-session.ts';
import { Repository } from './repository.ts';

/** An image that another program made and pushed. */
export interface BuiltImage {
  /** `HOST/REPOSITORY@sha256:…`: what is to be run. */
  readonly image: string;
  readonly manifest: Descriptor;
  /** The image below, as its builder noted it (image-spec 1.1, annotations.md). */
  readonly base?: { readonly name: string; readonly digest: string };
}

const deadlineMs = 120_000;

/** Reads an image back from its registry by the digest that its builder told, whatever else that said. `unknown_image` when it is not there. */
export async function readBuilt(
  into: string,
  digest: string,
  access: RegistryAccess,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const place = parseReference(into);
  const stored = await withDeadline(signal, deadlineMs, (limited) =>
    new Repository(place, access, limited).manifest(digest),
  );
  const { annotations } = parseObject(stored.bytes, into) as {
    readonly annotations?: Readonly<Record<string, unknown>>;
  };
  const { 'org.opencontainers.image.base.name': name, 'org.opencontainers.image.base.digest': found } =
    annotations ?? {};
  return {
    image: `${placeOf(place)}@${stored.digest}`,
    manifest: { mediaType: stored.mediaType, digest: stored.digest, size: stored.bytes.length },
    ...(typeof name === 'string' && typeof found === 'string' && { base: { name, digest: found } }),
  };
}
