import test from 'ava';
import { forbiddenAddress, forbiddenUrl } from './address-rules.ts';

const rules = {
  hosts: ['hooks.example', '10.0.0.7', '[::1]', '8.8.8.8'],
  privateHosts: ['git.local:3000', '127.0.0.1:8080'],
};
const judge = (url: string) => forbiddenUrl(new URL(url), rules);

test('only configured hosts, with their port, over HTTP and without credentials', (t) => {
  for (const url of [
    'https://hooks.example/x',
    'https://hooks.example:443/',
    'http://git.local:3000/a',
    'http://127.0.0.1:8080/',
    'http://8.8.8.8/',
  ])
    t.is(judge(url), undefined, url);
  const strange = [
    'https://hooks.example.evil.example/',
    'https://evil.example/hooks.example',
    'https://hooks.example:8443/',
    'http://git.local/',
  ];
  for (const url of strange) t.regex(judge(url) ?? '', /not among the configured hosts/, url);
  t.regex(judge('https://u:p@hooks.example/') ?? '', /credentials/);
  t.regex(judge('ftp://hooks.example/') ?? '', /neither http nor https/);
  t.regex(judge('http://10.0.0.7/') ?? '', /private network/);
  t.regex(judge('http://[::1]/') ?? '', /private network/);
});

test('A12: addresses inside are refused in every form', (t) => {
  const inside = [
    '127.0.0.1',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
  ];
  for (const address of inside) {
    t.regex(forbiddenAddress(address, false) ?? '', /private network/, address);
    t.is(forbiddenAddress(address, true), undefined, address);
  }
  for (const address of [
    '169.254.169.254',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    'fe80::1',
    'ff02::1',
    '::ffff:169.254.169.254',
  ])
    t.regex(forbiddenAddress(address, true) ?? '', /no address of a host/, address);
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111'])
    t.is(forbiddenAddress(address, false), undefined, address);
});
