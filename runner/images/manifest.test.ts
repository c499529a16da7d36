import test from 'ava';
import { readManifest } from './manifest.ts';
import { choosePlatform, parsePlatform } from './platform.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryReason } from './registry-error.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const oci = 'application/vnd.oci.image';
const docker = 'application/vnd.docker';
const config = { mediaType: `${oci}.config.v1+json`, digest, size: 2 };

const read = (value: unknown, mediaType = `${oci}.manifest.v1+json`) =>
  readManifest(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), mediaType, 'r.example/app:v1');

test('types of Docker are those of OCI by other names', (t) => {
  const manifest = read({
    schemaVersion: 2,
    mediaType: `${docker}.distribution.manifest.v2+json`,
    config: { mediaType: `${docker}.container.image.v1+json`, digest, size: 2 },
    layers: [{ mediaType: `${docker}.image.rootfs.diff.tar.gzip`, digest, size: 3 }],
  });
  t.deepEqual(manifest, {
    kind: 'image',
    config,
    layers: [{ mediaType: `${oci}.layer.v1.tar+gzip`, digest, size: 3 }],
  });
});

test('a manifest that says no type has that of its answer', (t) => {
  t.is(read({ config, layers: [] }).kind, 'image');
  t.is(read({ manifests: [] }, `${oci}.index.v1+json`).kind, 'index');
  t.is(read({ manifests: [] }, `${docker}.distribution.manifest.list.v2+json`).kind, 'index');
});

const faulty: readonly (readonly [title: string, value: unknown, reason: RegistryReason])[] = [
  ['is no JSON', '{"config":', 'corrupt'],
  ['is a list', [], 'corrupt'],
  ['is nothing', null, 'corrupt'],
  ['has no layers', { config }, 'corrupt'],
  ['has no configuration', { layers: [] }, 'corrupt'],
  ['has a size that is none', { config: { ...config, size: -1 }, layers: [] }, 'corrupt'],
  ['has a size beyond all numbers', { config: { ...config, size: 1e300 }, layers: [] }, 'corrupt'],
  ['has a digest that is a path', { config: { ...config, digest: '../../x' }, layers: [] }, 'unsupported'],
  ['has a digest of another kind', { config: { ...config, digest: 'sha512:0' }, layers: [] }, 'unsupported'],
  ['is an artefact', { config: { ...config, mediaType: `${oci}.empty.v1+json` }, layers: [] }, 'unsupported'],
  ['is of an older kind', { mediaType: `${docker}.distribution.manifest.v1+prettyjws` }, 'unsupported'],
];

for (const [title, value, reason] of faulty) {
  test(`a manifest that ${title} is refused`, (t) => {
    const error = t.throws(() => read(value), { instanceOf: RegistryError });
    t.is(error.reason, reason);
    t.regex(error.message, /^r\.example\/app:v1 /);
  });
}

const index = ['linux/amd64', 'linux/arm/v7', 'linux/arm64/v8', 'unknown/unknown'].map((text, number) => {
  const [os = '', architecture = '', variant] = text.split('/');
  return { ...config, size: number, platform: { os, architecture, ...(variant && { variant }) } };
});

for (const [text, size] of [
  ['linux/amd64', 0],
  ['linux/arm/v7', 1],
  ['linux/arm', 1],
  ['linux/arm64', 2],
] as const) {
  test(`of an index ${text} is found`, (t) => {
    t.is(choosePlatform(index, parsePlatform(text), 'app').size, size);
  });
}

test('a platform that an index lacks is told with those that it has', (t) => {
  for (const text of ['linux/arm/v6', 'windows/amd64']) {
    const error = t.throws(() => choosePlatform(index, parsePlatform(text), 'app'), { instanceOf: RegistryError });
    t.is(error.reason, 'no_platform');
    t.is(error.hint, 'It is there for linux/amd64, linux/arm/v7, linux/arm64/v8.');
  }
});

for (const text of ['linux', 'linux/', 'Linux/amd64', 'linux/amd64/v1/x', 'a b/c']) {
  test(`${text} is no platform`, (t) => {
    t.throws(() => parsePlatform(text), { code: 'ERR_USAGE' });
  });
}
