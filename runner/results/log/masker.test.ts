import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { checkSecret, createMasker, maskText } from './masker.ts';

function mask(
  secrets: readonly string[],
  chunks: readonly Uint8Array[],
): { text: string; masked: number; lag: number } {
  const masker = createMasker(secrets);
  let lag = 0;
  let got = 0;
  let given = 0;
  const parts = chunks.map((chunk) => {
    const part = masker.push(chunk);
    given += chunk.length;
    got += part.length;
    if (masker.masked === 0) lag = Math.max(lag, given - got);
    return Buffer.from(part);
  });
  return { text: Buffer.concat([...parts, masker.end()]).toString('latin1'), masked: masker.masked, lag };
}

function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...places.toSorted((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const key = ['-----BEGIN KEY-----', 'MIIEvQIBADANBgkqhkiG9w0BAQ', '', 'short', 'xK9+/w==', '-----END KEY-----'].join(
  '\n',
);

test('M-SPLIT: the output is the same however the stream is cut, and holds no secret', (t) => {
  const secrets = ['hunter2-hunter2', 'pässwörd €', key, 'a'.repeat(9), 'aXaXaXaX'];
  const clear = [
    `\u001b[31mhunter2-hunter2\u001b[0m x hunter2-hunter2-hunter2`,
    `pässwörd €\r\n${key}\r\n`,
    Buffer.from(`user:hunter2-hunter2`).toString('base64'),
    JSON.stringify({ key }),
    'aaaaaaaaaaaaaaaaaaaaaa aXaXaXaXaXaX hunter2-hunter hunter2-hunter2',
  ].join(' ');
  const bytes = Buffer.from(clear);
  const whole = mask(secrets, [bytes]).text;
  for (let at = 0; at <= bytes.length; at += 1) t.is(mask(secrets, cut(bytes, [at])).text, whole, `cut at ${at}`);
  t.is(
    mask(
      secrets,
      Array.from(bytes, (byte) => Buffer.of(byte)),
    ).text,
    whole,
  );
  for (const secret of [
    'hunter2-hunter2',
    Buffer.from('pässwörd €').toString('latin1'),
    'MIIEvQIBADANBgkqhkiG9w0BAQ',
  ]) {
    t.false(whole.includes(secret), secret);
  }
  t.true(whole.startsWith('\u001b[31m***\u001b[0m x ***'));
});

test('M-SPLIT: any secrets, any text that holds them, any cuts', (t) => {
  const secret = fc.string({ unit: fc.constantFrom('a', 'b', '*', '/', '\n'), minLength: 6, maxLength: 14 });
  const property = fc.property(
    fc.array(secret, { minLength: 1, maxLength: 3 }),
    fc.array(fc.oneof(fc.nat(2), fc.string({ unit: fc.constantFrom('a', 'b', '*', '\n'), maxLength: 4 })), {
      maxLength: 12,
    }),
    fc.array(fc.nat(100), { maxLength: 8 }),
    (secrets, words, places) => {
      const clear = words.map((word) => (typeof word === 'number' ? (secrets[word] ?? '') : word)).join('');
      const bytes = Buffer.from(clear);
      const whole = mask(secrets, [bytes]).text;
      t.is(
        mask(
          secrets,
          cut(
            bytes,
            places.map((place) => Math.min(place, bytes.length)),
          ),
        ).text,
        whole,
      );
      for (const value of secrets) t.false(whole.includes(value));
    },
  );
  fc.assert(property, { numRuns: 100 });
});

const odd = `p&ss <w>"o'r/d?+ $x\\é`;
const encodings: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  'JSON in ASCII': (text) => JSON.stringify(text).slice(1, -1).replace('é', '\\u00e9'),
  'JSON of Go': (text) =>
    JSON.stringify(text).slice(1, -1).replaceAll('&', '\\u0026').replaceAll('<', '\\u003c').replaceAll('>', '\\u003e'),
  'JSON of PHP': (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'),
  'XML text': (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  'XML attribute': (text) =>
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
  URL: encodeURIComponent,
  'URL in lower case': (text) => encodeURIComponent(text).replace(/%../g, (escape) => escape.toLowerCase()),
  form: (text) => new URLSearchParams({ x: text }).toString().slice(2),
  'single quotes': (text) => text.replaceAll("'", `'\\''`),
  'double quotes': (text) => text.replace(/[\\"$`]/g, '\\$&'),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64 behind one byte': (text) => Buffer.from(`:${text}`).toString('base64'),
  'base64 behind two bytes': (text) => Buffer.from(`u:${text}`).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  hex: (text) => Buffer.from(text).toString('hex'),
  'hex in upper case': (text) => Buffer.from(text).toString('hex').toUpperCase(),
};

const secretLists = [[odd], ['s3cr3t-Token_09AZ']] as const;

for (const [name, encode] of Object.entries(encodings)) {
  test(`M-ENC: ${name} is masked, alone and inside every other encoding`, (t) => {
    for (const secrets of secretLists) {
      const encoded = encode(secrets[0]);
      t.true(leftOver(encoded, maskText(secrets, `<<${encoded}>>`)) <= 6, encoded);
      for (const outer of Object.values(encodings)) {
        const twice = outer(encoded);
        t.true(leftOver(twice, maskText(secrets, `<<${twice}>>`)) <= 12, twice);
      }
    }
  });
}

/** Characters of the encoded secret that are still there: base64 may leave some at its edges, shared with what is beside it. */
function leftOver(encoded: string, masked: string): number {
  if (masked === `<<${encoded}>>`) return encoded.length;
  return masked.replaceAll('***', '').length - '<<>>'.length;
}

test('M-ENC: secrets of several lines are masked whole, line by line, and with any line ends', (t) => {
  t.is(maskText([key], key), '***');
  t.is(maskText([key], key.replaceAll('\n', '\r\n')), '***');
  t.is(maskText([key], JSON.stringify(key)), '"***"');
  t.is(maskText([key], '  MIIEvQIBADANBgkqhkiG9w0BAQ # short'), '  *** # short');
  const lines = Buffer.from(key.repeat(4)).toString('base64').replace(/.{76}/g, '$&\n');
  t.regex(maskText([key.repeat(4)], lines), /^(\*\*\*\n?)+[\w=]{0,5}\n?$/);
});

test('M-ENC: strings inside a secret that is JSON, and the password of a URL, are secrets too', (t) => {
  const account = JSON.stringify({ id: 7, private: { key: 'line-one\nline-two', short: 'abc' } });
  t.is(maskText([account], 'line-one, line-two, abc'), '***, ***, abc');
  t.is(maskText([`{broken json`], 'x {broken json'), 'x ***');
  t.is(maskText(['postgres://me:p%40ssw0rd@db/x'], 'p%40ssw0rd p@ssw0rd me'), '*** *** me');
});

test('M-OVERLAP: prefixes, suffixes and overlaps become one replacement', (t) => {
  const secrets = ['abcdefgh', 'abcdef', 'defghijk', 'ghijklmno'];
  t.is(maskText(secrets, 'abcdef.'), '***.');
  t.is(maskText(secrets, 'abcdefgh.'), '***.');
  t.is(maskText(secrets, 'abcdefghijklmno.'), '***.');
  t.is(maskText(secrets, 'abcdefabcdef.'), '******.');
  t.is(maskText(secrets, 'abcdeghijk'), 'abcdeghijk');
});

test('M-OVERLAP: a replacement never makes up another secret', (t) => {
  t.is(maskText(['first-secret', 'a***b-c'], 'afirst-secretb-c'), 'a###b-c');
  t.is(maskText(['******', 'first-secret'], 'first-secret first-secret'), '### ###');
});

test('M-BENIGN: text without secrets is the same bytes, and nothing waits that needs not', (t) => {
  const line = Buffer.from('2026-11-21 INFO GET /items/17 200 \0\xff\u00e9\n');
  const chunks = Array.from({ length: 20_000 }, () => line);
  const { text, masked, lag } = mask(['s3cr3t-Token_09AZ', key, odd], chunks);
  t.is(masked, 0);
  t.true(text === Buffer.concat(chunks).toString('latin1'));
  t.true(lag <= 4, `${lag} bytes waited`);
});

test('what waits is never more than a form cut short, and comes with what follows or at the end', (t) => {
  const masker = createMasker(['first-secret']);
  t.is(Buffer.from(masker.push(Buffer.from('a first-secre'))).toString(), 'a ');
  t.is(Buffer.from(masker.push(Buffer.from('x '))).toString(), 'first-secrex ');
  t.is(Buffer.from(masker.push(Buffer.from('first-secre'))).toString(), '');
  t.is(Buffer.from(masker.end()).toString(), 'first-secre');
  t.is(masker.masked, 0);
});

test('no secrets, and values too short to be secrets, change nothing', (t) => {
  t.is(maskText([], 'text'), 'text');
  t.is(maskText(['', 'a', 'short'], 'a short text'), 'a short text');
});

test('M-ENC: UTF-16 is masked, whichever byte comes first', (t) => {
  const little = Buffer.from('<<s3cr3t-Token_09AZ>>', 'utf16le');
  for (const bytes of [little, Buffer.from(little).swap16()]) {
    t.notRegex(maskText(['s3cr3t-Token_09AZ'], bytes.toString('latin1')).replaceAll('\0', ''), /[a-z0-9]/i);
  }
});

test('M-KNOWN: what is masked where others leak', (t) => {
  const secret = 'ghp_16C7e42F292c6912E7710c838347Ae178B4a';
  t.is(maskText([key], `add-mask::${key}`), 'add-mask::***', 'all lines of a secret, not the first');
  t.is(maskText(['{\nsecret-line\n}'], '{ } secret-line'), '{ } ***', 'a line of one character is no pattern');
  t.is(maskText([secret], `expected ${secret} to equal`), 'expected *** to equal', 'an assertion of a report');
  const twice = Buffer.from(Buffer.from(secret).toString('base64')).toString('base64');
  t.regex(maskText([secret], twice), /^\*\*\*[\w=]{0,8}$/, 'base64 twice');
});

test('M-KNOWN: what a step can do to get a secret past the masker, as docs/results.md says', (t) => {
  const secret = 'hunter2-hunter2';
  const reversed = Array.from(secret).toReversed().join('');
  const passes = [
    reversed,
    Buffer.from(reversed).toString('hex'),
    Array.from(secret).join(' '),
    secret.toUpperCase(),
    gzipSync(secret).toString('latin1'),
    Buffer.from('hünter2-hunter2', 'utf16le').toString('latin1'),
    Buffer.from(Buffer.from(Buffer.from(secret).toString('base64')).toString('base64')).toString('base64'),
  ];
  for (const text of passes) t.is(maskText([secret], text), text);
});

test('a value that cannot be masked is refused with the reason', (t) => {
  t.is(checkSecret('TOKEN', 's3cr3t'), undefined);
  t.is(checkSecret('TOKEN', 'ééé'), undefined);
  t.regex(checkSecret('TOKEN', 'abc') ?? '', /^secret TOKEN is 3 bytes long/);
  t.regex(checkSecret('TOKEN', '   \n\n   ') ?? '', /is 0 bytes long without white space/);
  t.regex(checkSecret('TOKEN', 'abc\0defghi') ?? '', /NUL/);
  t.false((checkSecret('TOKEN', 'abcde') ?? '').includes('abcde'));
});
