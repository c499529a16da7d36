import test from 'ava';
import { imageReference, ownImage } from './own-images.ts';

const own = { prefix: 'registry.example/sluice/', tag: '1', pinned: { postgres: 'registry.example/db@sha256:12' } };

test('a name without registry, path and tag is an image of our own', (t) => {
  t.is(imageReference(own, 'node-24'), 'registry.example/sluice/node-24:1');
  t.is(imageReference(own, 'node:24'), 'node:24');
  t.is(imageReference(own, 'registry.example/node'), 'registry.example/node');
});

test('a reference that is given for one of them stands for it', (t) => {
  t.is(ownImage(own, 'postgres'), 'registry.example/db@sha256:12');
  t.is(imageReference(own, 'postgres'), 'registry.example/db@sha256:12');
  t.is(ownImage(own, 'toString'), 'registry.example/sluice/toString:1');
});
