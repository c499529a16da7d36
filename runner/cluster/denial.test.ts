import test from 'ava';
import { readDenial } from './denial.ts';

/** As a server of version 1.34 words them; `e2e/cluster-api/denial.test.ts` asks one. */
for (const [by, name, text] of [
  ['quota', 'q', 'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0'],
  ['quota', 'q', 'pods "p" is forbidden: failed quota: q: must specify requests.cpu for: c'],
  ['quota', 'q', 'Error creating: pods "p-x7k" is forbidden: exceeded quota: q, requested: pods=1'],
  [
    'pod_security',
    'restricted:latest',
    'pods "p" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "c" must set …)',
  ],
  ['limit_range', undefined, 'pods "p" is forbidden: maximum cpu usage per Container is 1, but limit is 2'],
  ['webhook', 'deny.example.com', 'admission webhook "deny.example.com" denied the request: not here'],
  [
    'webhook_down',
    'deny.example.com',
    'Internal error occurred: failed calling webhook "deny.example.com": failed to call webhook: Post "https://…"',
  ],
  [
    'admission_policy',
    'v',
    `secrets "p" is forbidden: ValidatingAdmissionPolicy 'v' with binding 'b' denied request: no`,
  ],
  [
    'namespace_terminating',
    undefined,
    'pods "p" is forbidden: unable to create new content in namespace n because it is being terminated',
  ],
  [
    'access',
    undefined,
    'pods is forbidden: User "u" cannot create resource "pods" in API group "" in the namespace "n"',
  ],
] as const) {
  test(`${by}: ${text.slice(0, 70)}`, (t) => t.deepEqual(readDenial(text), { by, name }));
}

test('other texts are no denials', (t) => {
  t.is(readDenial('pods "p" already exists'), undefined);
  t.is(readDenial(''), undefined);
});
