/** How an installation refers to the images of `runtime-images/`, which pipelines name without registry, path and tag. */
export interface OwnImages {
  /** Put in front of a name. */
  readonly prefix: string;
  /** Put behind it, after a colon. */
  readonly tag: string;
  /** References by name of those that are somewhere else, or pinned. */
  readonly pinned: Readonly<Record<string, string>>;
}

/** The reference of one of our own images by its name, `node-24`. */
export function ownImage({ prefix, tag, pinned }: OwnImages, name: string): string {
  return Object.hasOwn(pinned, name) ? (pinned[name] ?? '') : `${prefix}${name}:${tag}`;
}

/** The reference of an image as a pipeline names it: names without a registry, path or tag are ours. */
export function imageReference(own: OwnImages, image: string): string {
  return /^[a-z0-9][a-z0-9.-]*$/.test(image) ? ownImage(own, image) : image;
}
