import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { appendImage } from '../../runner/images/append-image.ts';
import type { AppendedImage, ImageRequest } from '../../runner/images/append-image.ts';
import { emptyFolder, folderWith } from '../../runner/images/folder-fixture.ts';
import { openCredentials } from '../../runner/images/registry-credentials.ts';
import { RegistryError } from '../../runner/images/registry-error.ts';
import type { RegistryAccess } from '../../runner/images/registry-session.ts';
import { clusterTest, freshNamespace, imageOf, kubectl, waitFor } from '../cluster/test-cluster.ts';
import { appending } from './appending.ts';
import { NarrowProxy } from './narrow-proxy.ts';
import { startRegistry } from './test-registry.ts';

const sluice = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
const never = new AbortController().signal;
const nobody: RegistryAccess = { credentials: () => undefined, plainHttp: [] };
const run = promisify(execFile);
const mebibyte = 1024 * 1024;

/** Host and a repository of its own in the registry of the cluster. */
function freshRepository(name: string): string {
  return `${imageOf('base').split('/')[0] ?? ''}/test/${name}-${randomBytes(4).toString('hex')}`;
}

type Asked = Partial<ImageRequest> & { readonly folder: string };

function append({ folder, ...request }: Asked, access = nobody, signal = never): Promise<AppendedImage> {
  const layers = [{ folder, destination: '/app' }];
  const defaults = { base: imageOf('busybox'), into: freshRepository('app'), layers };
  return appendImage({ ...defaults, ...request }, access, signal);
}

const origins = ({ layers }: AppendedImage): readonly string[] => layers.map(({ origin }) => origin);

async function inspect(image: string, ...options: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { stdout } = await run('skopeo', ['inspect', '--tls-verify=false', ...options, `docker://${image}`]);
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}

clusterTest('the same source makes the same digest in any folder, with any times, umask and order', async (t) => {
  const sources = { 'server.js': 'x', 'lib/a.js': 'a', 'lib/b.js': 'b', 'bin/tool': '#!/bin/sh' };
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  const one = folderWith(t, sources);
  fs.symlinkSync(join(one, 'lib/a.js'), join(one, 'link'));
  process.umask(0o002);
  const two = emptyFolder(t);
  fs.symlinkSync('lib/a.js', join(two, 'link'));
  for (const [path, content] of Object.entries(sources).toReversed()) {
    fs.mkdirSync(dirname(join(two, path)), { recursive: true });
    fs.writeFileSync(join(two, path), content);
    fs.utimesSync(join(two, path), 1_000, 1_000);
  }
  for (const folder of [one, two]) fs.chmodSync(join(folder, 'bin/tool'), 0o755);
  const first = await append({ folder: one });
  const args = [...appending(two, freshRepository('app')), '--json'];
  const second = JSON.parse((await run(process.execPath, [sluice, ...args])).stdout) as AppendedImage;
  const third = await append({ folder: two, changes: { workingFolder: '/app' } });
  t.is(second.manifest.digest, third.manifest.digest);
  t.deepEqual(second.layers.at(-1)?.digest, first.layers.at(-1)?.digest);

  fs.chmodSync(join(two, 'bin/tool'), 0o644);
  const fourth = await append({ folder: two });
  t.not(fourth.manifest.digest, first.manifest.digest);
});

clusterTest('other tools read the image: skopeo inspects and copies it, buildah builds on it', async (t) => {
  const folder = folderWith(t, { 'hello.txt': 'hello' });
  const changes = {
    command: ['cat', '/app/hello.txt'],
    environment: { A: '1' },
    ports: [3000],
    labels: { team: 'orders' },
  };
  const into = `${freshRepository('app')}:v1`;
  const { image, manifest, base } = await append({
    folder,
    changes,
    into,
    revision: 'abc',
    source: 'https://git.example/a',
  });
  t.like(await inspect(into), {
    Digest: manifest.digest,
    Architecture: 'amd64',
    Os: 'linux',
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=1'],
  });
  t.like(await inspect(image, '--raw'), {
    annotations: {
      'org.opencontainers.image.base.digest': base.digest,
      'org.opencontainers.image.base.name': imageOf('busybox'),
      'org.opencontainers.image.revision': 'abc',
      'org.opencontainers.image.source': 'https://git.example/a',
    },
  });
  t.like(await inspect(image, '--config'), {
    config: { Cmd: ['cat', '/app/hello.txt'], ExposedPorts: { '3000/tcp': {} }, Labels: { team: 'orders' } },
  });

  const copy = emptyFolder(t);
  await run('skopeo', ['copy', '--src-tls-verify=false', `docker://${image}`, `oci:${copy}:v1`]);
  const index = JSON.parse(fs.readFileSync(join(copy, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
  t.is(index.manifests[0]?.digest, manifest.digest);

  const context = folderWith(t, { Containerfile: `FROM ${image}\nRUN ["cp", "/app/hello.txt", "/app/copy.txt"]\n` });
  const { stdout } = await run('buildah', ['bud', '--quiet', '--isolation', 'chroot', '--tls-verify=false', context]);
  await run('buildah', ['rmi', '--force', stdout.trim()]);
});

const servers = [
  {
    base: 'node-22',
    command: ['node', 'server.js'],
    files: {
      'server.js': 'require("http").createServer((_, r) => r.end(`hello from ${process.env.WHO}`)).listen(3000)',
    },
  },
  {
    base: 'python-3.11',
    command: ['python3', 'server.py'],
    files: {
      'server.py': `import http.server, os
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"hello from {os.environ['WHO']}".encode())
http.server.ThreadingHTTPServer(("", 3000), Hello).serve_forever()`,
    },
  },
] as const;

for (const { base, command, files } of servers) {
  clusterTest(`an app on ${base} runs on the cluster and answers`, async (t) => {
    const changes = { command, workingFolder: '/app', ports: [3000], environment: { WHO: 'the image' } };
    const { image } = await append({ folder: folderWith(t, files), base: imageOf(base), changes });
    const namespace = await freshNamespace(t, 'append');
    const container = {
      name: 'app',
      image,
      readinessProbe: { httpGet: { port: 3000, path: '/' }, periodSeconds: 1 },
      securityContext: {
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
    };
    const spec = { automountServiceAccountToken: false, terminationGracePeriodSeconds: 1, containers: [container] };
    await kubectl(['create', '-n', namespace, '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'app' },
      spec,
    });
    await waitFor(['pod/app', '-n', namespace], 'condition=Ready');
    const answer = await kubectl(['get', '--raw', `/api/v1/namespaces/${namespace}/pods/app:3000/proxy/`]);
    t.is(answer, 'hello from the image');
  });
}

clusterTest('what the registry has is mounted or left, and only the new layer is sent', async (t) => {
  const into = freshRepository('app');
  const first = await append({ into, folder: folderWith(t, { a: randomBytes(8) }) });
  t.deepEqual(origins(first), ['mounted', 'mounted', 'uploaded']);
  const second = await append({ into, folder: folderWith(t, { a: randomBytes(8) }) });
  t.deepEqual(origins(second), ['present', 'present', 'uploaded']);
  const again = await append({ into, folder: folderWith(t, { b: 'b' }), base: first.image });
  t.deepEqual(origins(again), ['present', 'present', 'present', 'uploaded']);
});

clusterTest('layers of a base in another registry are copied, and several folders become several layers', async (t) => {
  const registry = await startRegistry(t);
  const layers = [
    { folder: folderWith(t, { 'node_modules/a': 'a' }), destination: '/app' },
    { folder: folderWith(t, { 'server.js': 's', unwanted: 'u' }), destination: '/app', paths: ['server.js'] },
  ];
  const image = await append({ folder: '', into: `${registry}/app`, layers });
  t.deepEqual(origins(image), ['copied', 'copied', 'uploaded', 'uploaded']);
  const here = await append({ folder: '', layers });
  t.is(image.manifest.digest, here.manifest.digest);
  const copy = emptyFolder(t);
  await run('skopeo', ['copy', '--src-tls-verify=false', `docker://${image.image}`, `dir:${copy}`]);
  const layer = join(copy, image.layers[3]?.digest.slice(7) ?? '');
  t.is((await run('tar', ['-tzf', layer])).stdout, 'app/\napp/server.js\n');
});

clusterTest(
  'of an index the image for the platform is taken, and one that is not there is told with those that are',
  async (t) => {
    const registry = await startRegistry(t);
    const files = { folder: folderWith(t, { a: 'a' }) };
    const [one, two] = [
      await append({ ...files, into: `${registry}/base` }),
      await append({ ...files, into: `${registry}/base`, changes: { environment: { OTHER: '1' } } }),
    ];
    const index = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        { ...one.manifest, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
        { ...two.manifest, platform: { os: 'linux', architecture: 'amd64' } },
      ],
    };
    const headers = { 'content-type': index.mediaType };
    const body = JSON.stringify(index);
    t.is((await fetch(`http://${registry}/v2/base/manifests/all`, { method: 'PUT', headers, body })).status, 201);
    const [base, into] = [`${registry}/base:all`, `${registry}/app`];
    t.is((await append({ ...files, base, into })).base.digest, two.manifest.digest);
    const byDigest = `${registry}/base@sha256:${createHash('sha256').update(body).digest('hex')}`;
    t.is((await append({ ...files, base: byDigest, into })).base.digest, two.manifest.digest);
    await t.throwsAsync(append({ ...files, base, into, platform: 'windows/amd64' }), {
      instanceOf: RegistryError,
      code: 'ERR_NOT_FOUND',
      message: /is not there for windows\/amd64/,
    });
    await t.throwsAsync(append({ ...files, into, platform: 'linux/s390x' }), {
      code: 'ERR_NOT_FOUND',
      message: /linux\/amd64, not/,
    });
  },
);

/** The password is "open sesame"; the hash is that of `htpasswd -B`. */
const passwords = 'ada:$2y$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy\n';

clusterTest('a registry with passwords lets in who has one, and says what is missing to who has not', async (t) => {
  const path = join(folderWith(t, { htpasswd: passwords }), 'htpasswd');
  const registry = await startRegistry(t, { auth: { htpasswd: { realm: 'test', path } } });
  const accessOf = async (password: string) => {
    const auth = Buffer.from(`ada:${password}`).toString('base64');
    const named = join(
      folderWith(t, { 'auth.json': JSON.stringify({ auths: { [registry]: { auth } } }) }),
      'auth.json',
    );
    return { credentials: await openCredentials({ named }), plainHttp: [] };
  };
  const asked = { folder: folderWith(t, { a: 'a' }), into: `${registry}/app:v1` };
  for (const access of [nobody, await accessOf('wrong')]) {
    const error = await t.throwsAsync(append(asked, access), { instanceOf: RegistryError, code: 'ERR_FORBIDDEN' });
    t.is(error.reason, 'unauthorized');
    t.true(error.message.includes(`${registry}/app`));
    t.regex(error.hint ?? '', /REGISTRY_AUTH_FILE/);
  }
  const good = await accessOf('open sesame');
  const image = await append(asked, good);
  t.deepEqual(origins(image), ['copied', 'copied', 'uploaded']);
  const { manifest } = await append({ ...asked, base: image.image, into: `${registry}/other` }, good);
  t.regex(manifest.digest, /^sha256:/);
});

clusterTest(
  'a registry with a certificate of its own is spoken to when its authority is known, and only then',
  async (t) => {
    const address = hostAddress();
    const folder = emptyFolder(t);
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const name = ['-subj', '/CN=registry', '-addext', `subjectAltName=IP:${address}`, '-days', '2'];
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
      ...name,
    ]);
    const port = (await startRegistry(t, { tls: { certificate, key } })).split(':')[1] ?? '';
    const into = `${address}:${port}/app`;
    const files = ['--from', folderWith(t, { a: 'a' })];
    const command = [sluice, 'image', 'append', '--json', '--base', imageOf('busybox'), '--into', into, ...files];
    const { stdout } = await run(process.execPath, command, {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
    });
    t.true((JSON.parse(stdout) as AppendedImage).image.startsWith(`${into}@sha256:`));
    const refused = await t.throwsAsync<Error & { stdout?: string }>(run(process.execPath, command));
    t.regex(refused.stdout ?? '', /cannot be trusted: self-signed certificate.*NODE_EXTRA_CA_CERTS/);
  },
);

clusterTest('a registry without TLS elsewhere is spoken to when it is listed, and only then', async (t) => {
  const registry = (await startRegistry(t)).replace('localhost', hostAddress());
  const asked = { folder: folderWith(t, { a: 'a' }), into: `${registry}/app` };
  const error = await t.throwsAsync(append(asked), { instanceOf: RegistryError });
  t.is(error.reason, 'untrusted');
  t.truthy(await append(asked, { ...nobody, plainHttp: [registry] }));
});

/** An address of this machine that is not only its own. */
function hostAddress(): string {
  const entries = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return entries.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '';
}

clusterTest('an image, a tag and a registry that are not there are told apart', async (t) => {
  const folder = folderWith(t, { a: 'a' });
  const none = `${freshRepository('none')}:v1`;
  await t.throwsAsync(append({ folder, base: none }), { code: 'ERR_NOT_FOUND', message: new RegExp(none) });
  const base = `${imageOf('busybox').split(':').slice(0, -1).join(':')}:none`;
  await t.throwsAsync(append({ folder, base }), {
    code: 'ERR_NOT_FOUND',
    message: /busybox:none is not in the registry/,
  });
  const away = await t.throwsAsync(append({ folder, into: 'localhost:1/app' }), { instanceOf: RegistryError });
  t.is(away.reason, 'unreachable');
  t.regex(away.message, /localhost:1 cannot be reached/);
});

clusterTest('an upload whose connection breaks is made again until the image is whole', async (t) => {
  const registry = await startRegistry(t);
  const proxy = await NarrowProxy.open(Number(registry.split(':')[1]), [20 * mebibyte, 15 * mebibyte]);
  t.teardown(() => proxy.close());
  const folder = folderWith(t, { large: randomBytes(40 * mebibyte) });
  const image = await append({ folder, into: `${proxy.host}/app` });
  t.is(proxy.ends, 2);
  t.is(image.layers.at(-1)?.origin, 'uploaded');
  const again = await append({ folder, into: `${registry}/app` });
  t.is(again.layers.at(-1)?.origin, 'present');
  t.is(again.manifest.digest, image.manifest.digest);
});

clusterTest('a push that is killed in the middle leaves nothing in the way of the next', async (t) => {
  const registry = await startRegistry(t);
  const proxy = await NarrowProxy.open(Number(registry.split(':')[1]), [20 * mebibyte], 'stall');
  t.teardown(() => proxy.close());
  const [folder, temporary] = [folderWith(t, { large: randomBytes(40 * mebibyte) }), emptyFolder(t)];
  const args = appending(folder, `${proxy.host}/app:v1`);
  const child = spawn(process.execPath, [sluice, ...args], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: 'ignore',
  });
  await proxy.stalled;
  child.kill('SIGKILL');
  await once(child, 'exit');
  await t.throwsAsync(inspect(`${registry}/app:v1`));
  const image = await append({ folder, into: `${registry}/app:v1`, changes: { workingFolder: '/app' } });
  t.like(await inspect(`${registry}/app:v1`), { Digest: image.manifest.digest });
  t.is(image.layers.at(-1)?.origin, 'uploaded');
});

clusterTest('nobody waits for a push that is not wanted any more, and nothing stays behind', async (t) => {
  const registry = await startRegistry(t);
  const proxy = await NarrowProxy.open(Number(registry.split(':')[1]), [20 * mebibyte], 'stall');
  t.teardown(() => proxy.close());
  const temporary = emptyFolder(t);
  const folder = folderWith(t, { large: randomBytes(40 * mebibyte) });
  const args = [...appending(folder, `${proxy.host}/app`), '--json'];
  const child = spawn(process.execPath, [sluice, ...args], { env: { ...process.env, TMPDIR: temporary } });
  await proxy.stalled;
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  t.is(code, 130);
  t.deepEqual(fs.readdirSync(temporary), []);
});

clusterTest('a push that takes longer than its deadline ends with it', async (t) => {
  const registry = await startRegistry(t);
  const proxy = await NarrowProxy.open(Number(registry.split(':')[1]), [mebibyte], 'stall');
  t.teardown(() => proxy.close());
  const layers = [{ folder: folderWith(t, { large: randomBytes(8 * mebibyte) }), destination: '/app' }];
  const request = { base: imageOf('busybox'), into: `${proxy.host}/app`, layers };
  await t.throwsAsync(appendImage(request, nobody, never, 3_000), {
    code: 'ERR_SERVICE',
    message: /longer than its deadline/,
  });
});

clusterTest('a folder of 1 GiB takes no more memory than a small one', async (t) => {
  const folder = emptyFolder(t);
  for (let file = 0; file < 4; file += 1) fs.truncateSync(makeFile(join(folder, `${file}`)), 256 * mebibyte);
  const script = `
    import { appendImage } from ${JSON.stringify(new URL('../../runner/images/append-image.ts', import.meta.url).href)};
    const layers = [{ folder: ${JSON.stringify(folder)}, destination: '/app' }];
    const request = { base: ${JSON.stringify(imageOf('busybox'))}, into: ${JSON.stringify(freshRepository('app'))}, layers };
    await appendImage(request, { credentials: () => undefined, plainHttp: [] }, new AbortController().signal);
    console.log(process.resourceUsage().maxRSS);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
  const megabytes = Number(stdout) / 1024;
  t.log(`${megabytes.toFixed(0)} MB`);
  t.true(megabytes > 0 && megabytes < 300, stdout);
});

function makeFile(path: string): string {
  fs.writeFileSync(path, '');
  return path;
}

clusterTest('an image of Docker as a base becomes one of OCI', async (t) => {
  const registry = await startRegistry(t);
  const [from, to] = [`docker://${imageOf('busybox')}`, `docker://${registry}/docker:v1`];
  await run('skopeo', ['copy', '--format', 'v2s2', '--src-tls-verify=false', '--dest-tls-verify=false', from, to]);
  const folder = folderWith(t, { a: 'a' });
  const { image, base } = await append({ folder, base: `${registry}/docker:v1`, into: `${registry}/app` });
  t.like(await inspect(`${registry}/docker@${base.digest}`, '--raw'), {
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  });
  t.like(await inspect(image, '--raw'), {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json' },
    layers: { 0: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' } },
  });
  await run('skopeo', ['copy', '--src-tls-verify=false', `docker://${image}`, `dir:${emptyFolder(t)}`]);
});

clusterTest('an image is pushed to no digest, which is known only when it is made', async (t) => {
  const into = `${freshRepository('app')}@sha256:${'0'.repeat(64)}`;
  await t.throwsAsync(append({ folder: folderWith(t, { a: '' }), into }), { code: 'ERR_USAGE' });
});
