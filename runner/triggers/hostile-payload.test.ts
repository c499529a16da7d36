import test from 'ava';
import fc from 'fast-check';
import { hasCorpus, readCorpus } from './corpus-fixture.ts';
import { bodyOf, samples } from './delivery-fixture.ts';
import type { Delivery, ForgeName, Headers } from './forge.ts';
import { forges } from './forges.ts';
import { deliveryLimits } from './limits.ts';
import { mutations } from './mutations-fixture.ts';

interface Seed {
  readonly title: string;
  readonly forge: ForgeName;
  readonly headers: Headers;
  readonly payload: unknown;
}

const seeds: readonly Seed[] = [
  ...samples.map(({ forge, title, headers, payload }) => ({ title: `${forge}, ${title}`, forge, headers, payload })),
  ...(hasCorpus ? readCorpus() : []).map(({ file, forge, headers, body }) => {
    const payload: unknown = JSON.parse(body.toString());
    return { title: file, forge, headers, payload };
  }),
];

/** Values of every type, those that crashed other readers among them. */
const swaps: readonly unknown[] = [
  null,
  0,
  -1,
  1.5,
  2 ** 60,
  true,
  '',
  'x',
  '\u0000',
  '../..',
  [],
  [null],
  {},
  { id: {} },
];

function isDelivery(delivery: Delivery): boolean {
  switch (delivery.kind) {
    case 'ignored':
      return delivery.reason !== '';
    case 'malformed':
      return delivery.message !== '';
    case 'triggers':
      return delivery.triggers.length > 0 && delivery.triggers.every(({ commit }) => /^[0-9a-f]{12,64}$/.test(commit));
  }
}

for (const { title, forge, headers, payload } of seeds) {
  test(`${title}: whatever is missing, null or of another type, the answer is one of three`, (t) => {
    let tried = 0;
    for (const mutation of mutations(payload, swaps)) {
      const delivery = forges[forge].read(headers, bodyOf(mutation));
      if (!isDelivery(delivery)) t.fail(`${JSON.stringify(delivery)} for ${JSON.stringify(mutation)}`);
      tried++;
    }
    t.true(tried > 14);
  });
}

test('any JSON, and any bytes, in any event get one of the three answers', (t) => {
  const [anySeed, anyBody] = [fc.constantFrom(...seeds), fc.oneof(fc.json(), fc.string(), fc.uint8Array())];
  fc.assert(
    fc.property(anySeed, anyBody, ({ forge, headers }, body) => {
      t.true(isDelivery(forges[forge].read(headers, Buffer.from(body))));
    }),
    { numRuns: 2_000 },
  );
});

test('any headers get a verdict, and never a good one', (t) => {
  const names = ['x-hub-signature-256', 'x-gitea-signature', 'x-gitlab-token', 'x-hub-signature', 'webhook-signature'];
  const anyValue = fc.oneof(
    fc.string(),
    fc.string().map((text) => `sha256=${text}`),
    fc.array(fc.string()),
    fc.constant(undefined),
  );
  const anyHeaders = fc.dictionary(fc.constantFrom(...names, 'webhook-id', 'webhook-timestamp'), anyValue);
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(forges)),
      anyHeaders,
      fc.constantFrom('a secret', 'whsec_x'),
      (forge, headers, as) => {
        t.false(forge.verify(headers, Buffer.from('{}'), as, 0).genuine);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('what is nested too deep or has too many values is refused before it is built', (t) => {
  const message = (text: string) => {
    const delivery = forges.github.read({ 'x-github-event': 'push' }, Buffer.from(text));
    return delivery.kind === 'malformed' ? delivery.message : JSON.stringify(delivery);
  };
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}0${'}'.repeat(depth)}`;
  t.regex(message(nested(deliveryLimits.depth)), /payload\.after/);
  t.regex(message(nested(deliveryLimits.depth + 1)), /nested deeper/);
  t.regex(message('['.repeat(deliveryLimits.bodyBytes)), /nested deeper/);
  t.regex(message(`{"a":[${'0,'.repeat(deliveryLimits.values)}0]}`), /more than 500000 values/);
  t.regex(message(`{"a":[${'[],'.repeat(deliveryLimits.values / 2)}0]}`), /more than 500000 values/);
  t.regex(message(' '.repeat(deliveryLimits.bodyBytes + 1)), /more than 26214400 bytes/);
  t.regex(
    message(`{"a":"${'[,\\"'.repeat(deliveryLimits.values)}"}`),
    /payload\.after/,
    'brackets in a text are no values',
  );
  t.regex(message('"\\'), /not JSON/);
});

test('names from prototypes are no fields', (t) => {
  const read = (text: string) => forges.github.read({ 'x-github-event': 'push' }, Buffer.from(text));
  t.is(
    read('{"__proto__":{"after":"0000000000000000000000000000000000000000","ref":"refs/heads/x"}}').kind,
    'malformed',
  );
});
