import test from 'ava';
import { registryUrl } from './registry-address.ts';

const plainHttp = ['registry.local:5000', '10.0.0.1:5000'];

const addresses: readonly (readonly [host: string, url: string])[] = [
  ['docker.io', 'https://registry-1.docker.io/'],
  ['registry.example', 'https://registry.example/'],
  ['registry.example:5000', 'https://registry.example:5000/'],
  ['registry.local:5000', 'http://registry.local:5000/'],
  ['registry.local', 'https://registry.local/'],
  ['10.0.0.1:5000', 'http://10.0.0.1:5000/'],
  ['10.0.0.2:5000', 'https://10.0.0.2:5000/'],
  ['localhost:5000', 'http://localhost:5000/'],
  ['127.0.0.9:5000', 'http://127.0.0.9:5000/'],
  ['[::1]:5000', 'http://[::1]:5000/'],
  ['localhost.example', 'https://localhost.example/'],
  ['127.0.0.1.example', 'https://127.0.0.1.example/'],
];

for (const [host, url] of addresses) {
  test(`the registry ${host} is spoken to at ${url}`, (t) => {
    t.is(registryUrl(host, plainHttp).href, url);
  });
}
