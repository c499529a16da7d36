import test from 'ava';
import { externalPolicy } from './network-objects.ts';

const ways = (address: string) => externalPolicy('testing', new URL(address))['spec'];

test('an address outside is the only one that is let through, of either family; a name lets every host through at that port', (t) => {
  const port = (number: number) => [{ protocol: 'TCP', port: number }];
  t.like(ways('postgres://a:b@192.0.2.7:6432/'), {
    egress: [{ to: [{ ipBlock: { cidr: '192.0.2.7/32' } }], ports: port(6432) }],
  });
  t.like(ways('postgres://a:b@[2001:db8::7]/'), {
    egress: [{ to: [{ ipBlock: { cidr: '2001:db8::7/128' } }], ports: port(5432) }],
  });
  t.like(ways('postgres://a:b@db.example/'), {
    egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }, { ipBlock: { cidr: '::/0' } }], ports: port(5432) }],
  });
});
