const manifest = 'application/vnd.oci.image.manifest.v1+json';

/** The digest by which the registry knows what an image reference of a release says. */
export async function manifestDigest(image: string): Promise<string | null> {
  const [, host = '', name = '', digest = ''] = /^([^/]+)\/(.+)@(.+)$/.exec(image) ?? [];
  const address = host.replace('registry.sluice.test', '127.0.0.1');
  const answer = await fetch(`http://${address}/v2/${name}/manifests/${digest}`, { headers: { accept: manifest } });
  if (!answer.ok) throw new Error(`the registry says ${answer.status} of ${image}`);
  return answer.headers.get('docker-content-digest');
}
