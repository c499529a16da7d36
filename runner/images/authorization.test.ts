import test from 'ava';
import { parseChallenge } from './authorization.ts';

const challenges: readonly (readonly [header: string | undefined, expected: ReturnType<typeof parseChallenge>])[] = [
  ['Basic realm="registry"', { scheme: 'basic' }],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a:pull"',
    { scheme: 'bearer', realm: 'https://auth.example/token', service: 'registry.example' },
  ],
  [
    'bearer service=r, realm="https://a.example/t?x=\\"1\\""',
    { scheme: 'bearer', realm: 'https://a.example/t?x="1"', service: 'r' },
  ],
  [
    'Bearer realm="https://a.example/t", Basic realm="r"',
    { scheme: 'bearer', realm: 'https://a.example/t', service: '' },
  ],
  ['Bearer service="r"', undefined],
  ['Negotiate', undefined],
  [undefined, undefined],
];

for (const [header, expected] of challenges) {
  test(`the challenge ${header ?? 'of no header'} is read`, (t) => {
    t.deepEqual(parseChallenge(header), expected);
  });
}
