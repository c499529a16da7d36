const manifest = 'application/vnd.oci.image.manifest.v1+json';
const index = 'application/vnd.oci.image.index.v1+json';

/** The digest by which the registry knows what an image reference of a release says. */
export async function manifestDigest(image: string): Promise<string | null> {
  const [, host = '', name = '', digest = ''] = /^([^/]+)\/(.+)@(.+)$/.exec(image) ?? [];
  const address = host.replace('registry.sluice.test', '127.0.0.1');
  const answer = await fetch(`http://${address}/v2/${name}/manifests/${digest}`, { headers: { accept: manifest } });
  if (!answer.ok) throw new Error(`the registry says ${answer.status} of ${image}`);
  return answer.headers.get('docker-content-digest');
}

/** SLSA provenance of an image, as far as the tests look at it. */
export interface Statement {
  readonly subject: readonly { readonly digest: Readonly<Record<string, string>> }[];
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: string;
      readonly externalParameters: Readonly<Record<string, unknown>>;
      readonly resolvedDependencies: readonly { readonly uri: string }[];
    };
  };
}

/** The statement that an image has beside it, found under the fallback tag: the registry of the tests has no referrers API. */
export async function statementOf(image: string): Promise<Statement> {
  const [, host = '', name = '', digest = ''] = /^([^/]+)\/(.+)@(.+)$/.exec(image) ?? [];
  const api = `http://${host.replace('registry.sluice.test', '127.0.0.1')}/v2/${name}`;
  const read = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${api}/${path}`, { headers: { accept: `${manifest}, ${index}` } });
    if (!answer.ok) throw new Error(`the registry says ${answer.status} of ${path}`);
    return answer.json();
  };
  const list = (await read(`manifests/${digest.replace(':', '-')}`)) as { readonly manifests: readonly Named[] };
  const referrer = (await read(`manifests/${list.manifests[0]?.digest ?? ''}`)) as {
    readonly layers: readonly Named[];
  };
  return (await read(`blobs/${referrer.layers[0]?.digest ?? ''}`)) as Statement;
}

interface Named {
  readonly digest: string;
}
