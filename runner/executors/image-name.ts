/** `docker.io/library/postgres:16.3-alpine` is { name: 'postgres', tag: '16.3-alpine' }. */
export function parseImage(image: string): { readonly name: string; readonly tag: string } {
  const [, name = '', tag = ''] = /([^/:@]+)(?::([^/@]+))?(?:@[^/]*)?$/.exec(image) ?? [];
  return { name, tag };
}

/** The major version that a tag asks for; undefined when any will do. */
export function majorOf(tag: string): number | undefined {
  const [, major] = /^v?(\d+)/.exec(tag) ?? [];
  return major === undefined ? undefined : Number(major);
}
