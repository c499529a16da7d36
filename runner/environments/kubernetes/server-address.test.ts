import test from 'ava';
import { readServerAddress } from './server-address.ts';

test('the address of a server is taken with any password that is written as an address has it', (t) => {
  for (const text of [
    'postgres://admin:secret@db.example:6432/',
    'postgresql://admin%40home:secret@db.example',
    'postgres://admin:a%20b%2Fc%3Fd%23e%25f%40g%3Ah@192.0.2.7/postgres?sslmode=require&channel_binding=require',
    ' postgres://admin:secret@[2001:db8::7]:5432/?sslmode=verify-full\n',
  ]) {
    const read = readServerAddress(text);
    t.true(read instanceof URL, JSON.stringify(read));
  }
});

test('what is no address of a server, or of more than a server, is told without its secrets', (t) => {
  const faults: readonly (readonly [text: string, fault: RegExp])[] = [
    ['', /^is missing$/],
    [' \n', /^is missing$/],
    ['db.example hidden', /^is no address of PostgreSQL with user and password$/],
    ['mysql://admin:hidden@db.example/', /^is no address/],
    ['postgres://admin@db.example/', /^is no address/],
    ['postgres://:hidden@db.example/', /^is no address/],
    ['postgres://admin:hidden@one.example:5432,two.example:5432/', /^is no address/],
    ['postgres://admin:hidden%off@db.example/', /^is no address/],
    ['postgres://admin:hidden%ff@db.example/', /^is no address/],
    ['postgres://admin:hidden%00@db.example/', /^is no address/],
    ['postgres://admin:hidden@db.example/shop?sslmode=require', /^names the database shop: Sluice makes its own/],
    ['postgres://app:app@db.example/?user=admin&password=hidden', /^has the parameter user: it may have sslmode, /],
    ['postgres://admin:hidden@db.example/?sslmode=require&sslrootcert=/ca.pem', /^has the parameter sslrootcert: /],
    [
      'postgres://admin:hidden@db.example/?sslmode=prefer',
      /^has sslmode=prefer: it may be disable, require, verify-full$/,
    ],
  ];
  for (const [text, fault] of faults) {
    const read = readServerAddress(text);
    if (read instanceof URL) t.fail(text);
    else t.regex(read.fault, fault);
    t.notRegex(JSON.stringify(read), /hidden/);
  }
});
