import { execFile, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { SignJWT, importPKCS8 } from 'jose';
import { appendImage } from '../../runner/images/append-image.ts';
import type { AppendedImage } from '../../runner/images/append-image.ts';
import { folderWith } from '../../runner/images/folder-fixture.ts';
import { pushProvenance } from '../../runner/images/provenance.ts';
import { clusterTest, imageOf } from '../cluster/test-cluster.ts';
import { appending } from './appending.ts';
import { serveUntilTestEnds, startRegistry } from './test-registry.ts';

const sluice = fileURLToPath(new URL('../../runner/launch/sluice.js', import.meta.url));
const never = new AbortController().signal;
const nobody = { credentials: () => undefined, plainHttp: [] };
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

interface Listed {
  readonly manifests: readonly { readonly digest: string; readonly artifactType?: string }[];
}

async function get(url: string, accept = '*/*'): Promise<unknown> {
  const response = await fetch(url, { headers: { accept } });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.json();
}

/** The statement that the only referrer in a list brings. */
async function statementOf(api: string, { manifests }: Listed): Promise<Readonly<Record<string, unknown>>> {
  const [referrer] = manifests;
  const manifest = (await get(`${api}/manifests/${referrer?.digest ?? ''}`, manifestType)) as {
    readonly layers: readonly { readonly digest: string }[];
  };
  return (await get(`${api}/blobs/${manifest.layers[0]?.digest ?? ''}`)) as Readonly<Record<string, unknown>>;
}

clusterTest(
  'the provenance of an image names its commit, base and maker, and is found under the fallback tag',
  async (t) => {
    const registry = await startRegistry(t);
    const folder = folderWith(t, { a: 'a' });
    const args = [...appending(folder, `${registry}/app:v1`), '--json'];
    const source = ['--source', 'https://git.example/orders', '--revision', '0123456789abcdef0123456789abcdef01234567'];
    const { stdout } = await promisify(execFile)(process.execPath, [sluice, ...args, ...source, '--env', 'A=1']);
    const image = JSON.parse(stdout) as AppendedImage & { readonly provenance: string };
    const ajv = new Ajv2020({ strict: true }).addSchema(
      JSON.parse(fs.readFileSync('schemas/cli.schema.json', 'utf8')) as object,
    );
    t.true(ajv.validate('cli.schema.json#/$defs/image', image), ajv.errorsText());
    const api = `http://${registry}/v2/app`;
    const listed = (await get(`${api}/manifests/${image.manifest.digest.replace(':', '-')}`, indexType)) as Listed;
    t.is(listed.manifests.length, 1);
    t.like(listed.manifests[0], { digest: image.provenance, artifactType: 'application/vnd.in-toto+json' });
    const digest = { sha256: image.manifest.digest.slice(7) };
    const statement = await statementOf(api, listed);
    t.like(statement, {
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://slsa.dev/provenance/v1',
      subject: [{ name: `${registry}/app`, digest }],
    });
    const predicate = statement['predicate'] as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    const [registryHost = '', tag = ''] = imageOf('busybox').split('/busybox:');
    t.deepEqual(predicate['buildDefinition'], {
      buildType: 'https://sluice.dev/build-types/append/v1',
      externalParameters: {
        base: `${registryHost}/busybox:${tag}`,
        into: `${registry}/app:v1`,
        platform: 'linux/amd64',
        layers: [{ destination: '/app' }],
        changes: { workingFolder: '/app', environment: { A: '1' } },
      },
      resolvedDependencies: [
        {
          uri: `pkg:oci/busybox@${encodeURIComponent(image.base.digest)}?repository_url=${encodeURIComponent(`${registryHost}/busybox`)}`,
          digest: { sha256: image.base.digest.slice(7) },
        },
        {
          uri: `git+https://git.example/orders@${source[3] ?? ''}`,
          digest: { gitCommit: source[3] },
        },
      ],
    });
    t.like(predicate['runDetails'], { builder: { id: 'https://sluice.dev/builders/command-line/v1' } });

    const words = args.filter((word) => word !== '--json');
    const told = await promisify(execFile)(process.execPath, [sluice, ...words, '--no-provenance', '--label', 'x=1']);
    t.regex(told.stdout, new RegExp(`^${registry}/app@sha256:[0-9a-f]{64}\n$`));
    t.regex(told.stderr, /^3 layers, /);
    const { tags } = (await get(`${api}/tags/list`)) as { readonly tags: readonly string[] };
    t.is(tags.filter((name) => name.startsWith('sha256-')).length, 1);
  },
);

clusterTest('statements that are pushed one after the other are all found', async (t) => {
  const registry = await startRegistry(t);
  const layers = [{ folder: folderWith(t, { a: 'a' }), destination: '/app' }];
  const request = { base: imageOf('busybox'), into: `${registry}/app`, layers };
  const image = await appendImage(request, nobody, never);
  const pushed = [];
  for (const version of ['1', '2', '3']) {
    const facts = { builder: 'https://ci.example', version, startedAt: 0, finishedAt: 1 };
    pushed.push(await pushProvenance(request, image, facts, nobody, never));
  }
  const tag = image.manifest.digest.replace(':', '-');
  const { manifests } = (await get(`http://${registry}/v2/app/manifests/${tag}`, indexType)) as Listed;
  t.deepEqual(
    manifests.map(({ digest }) => digest),
    pushed.map(({ digest }) => digest),
  );
});

/** A registry that keeps lists of referrers, as Debian's does not. */
function startReferrersRegistry(t: ExecutionContext): Promise<string> {
  const source = fileURLToPath(new URL('referrers-registry', import.meta.url));
  return serveUntilTestEnds(t, (port, folder) => {
    const program = join(folder, 'registry');
    execFileSync('go', ['build', '-C', source, '-buildvcs=false', '-o', program, '.']);
    return Promise.resolve(spawn(program, [`127.0.0.1:${port}`], { stdio: 'ignore' }));
  });
}

clusterTest('a registry with the referrers API needs no tag to find the provenance', async (t) => {
  const registry = await startReferrersRegistry(t);
  const layers = [{ folder: folderWith(t, { a: 'a' }), destination: '/app' }];
  const request = { base: imageOf('busybox'), into: `${registry}/app:v1`, layers };
  const image = await appendImage(request, nobody, never);
  const facts = { builder: 'https://ci.example', version: '1', startedAt: 0, finishedAt: 1, invocation: 'run-1' };
  const { digest } = await pushProvenance(request, image, facts, nobody, never);
  const api = `http://${registry}/v2/app`;
  const listed = (await get(`${api}/referrers/${image.manifest.digest}`)) as Listed;
  t.deepEqual(
    listed.manifests.map((entry) => entry.digest),
    [digest],
  );
  t.like(await statementOf(api, listed), {
    predicate: { runDetails: { builder: { id: 'https://ci.example' }, metadata: { invocationId: 'run-1' } } },
  });
  t.deepEqual(await get(`${api}/tags/list`), { name: 'app', tags: ['v1'] });
});

/** A registry that takes tokens, and the service that gives them: to "ada" for what she asks, to nobody for pulls. */
async function startRegistryWithTokens(t: ExecutionContext): Promise<string> {
  const folder = folderWith(t, {});
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=tokens', '-days', '2'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, ...subject],
    { stdio: 'ignore' },
  );
  const signingKey = await importPKCS8(fs.readFileSync(key, 'utf8'), 'RS256');
  const x5c = [fs.readFileSync(certificate, 'utf8').replace(/-----[^-]+-----|\s/g, '')];
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams;
    const isAda = request.headers.authorization === `Basic ${Buffer.from('ada:open sesame').toString('base64')}`;
    const access = query.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: isAda ? actions.split(',') : ['pull'] };
    });
    void new SignJWT({ access, jti: randomBytes(8).toString('hex') })
      .setProtectedHeader({ alg: 'RS256', x5c, typ: 'JWT' })
      .setIssuer('tokens')
      .setAudience('registry')
      .setSubject('ada')
      .setIssuedAt()
      .setNotBefore('-1 minute')
      .setExpirationTime('5 minutes')
      .sign(signingKey)
      .then((token) => response.end(JSON.stringify({ token })));
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  t.teardown(() => server.close());
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  const token = { realm, service: 'registry', issuer: 'tokens', rootcertbundle: certificate };
  return startRegistry(t, { auth: { token } });
}

clusterTest('a registry with tokens is pushed to with one, and one for pulling alone is not enough', async (t) => {
  const registry = await startRegistryWithTokens(t);
  const layers = [{ folder: folderWith(t, { a: 'a' }), destination: '/app' }];
  const request = { base: imageOf('busybox'), into: `${registry}/base:v1`, layers };
  await t.throwsAsync(appendImage(request, nobody, never), { code: 'ERR_FORBIDDEN' });
  const ada = { credentials: () => ({ username: 'ada', password: 'open sesame' }), plainHttp: [] };
  const image = await appendImage(request, ada, never);
  const more = [{ folder: folderWith(t, { b: 'b' }), destination: '/app' }];
  const above = await appendImage({ base: image.image, into: `${registry}/app`, layers: more }, ada, never);
  t.deepEqual(
    above.layers.map(({ origin }) => origin),
    ['mounted', 'mounted', 'mounted', 'uploaded'],
  );
});

clusterTest('E16: provenance that is signed is verified by its key, and nothing else is', async (t) => {
  const registry = await startRegistry(t);
  const folder = folderWith(t, { a: 'a' });
  const keys = folderWith(t, {});
  const keyPair = (name: string): void => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    fs.writeFileSync(join(keys, `${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    fs.writeFileSync(join(keys, `${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  };
  keyPair('own');
  keyPair('other');
  const run = (...args: readonly string[]) => promisify(execFile)(process.execPath, [sluice, ...args]);
  const append = async (into: string, ...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(...appending(folder, into), ...args);
    return stdout.trim();
  };
  const verify = (image: string, key: string) => run('image', 'verify', image, '--key', join(keys, `${key}.pub`));

  const signed = await append(`${registry}/app:v1`, '--sign', join(keys, 'own.pem'));
  t.is((await verify(`${registry}/app:v1`, 'own')).stdout.trim(), signed);
  await t.throwsAsync(verify(signed, 'other'), { message: /has no provenance that this key has signed/ });
  const unsigned = await append(`${registry}/plain:v1`);
  await t.throwsAsync(verify(unsigned, 'own'), { message: /has no signed provenance/ });
});
