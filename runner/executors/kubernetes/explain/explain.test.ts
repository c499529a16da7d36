import test from 'ava';
import type { Pod } from '../../../cluster/objects.ts';
import { explainPull } from './explain-pull.ts';
import { explainRefusal } from './explain-refusal.ts';
import { explainScheduling } from './explain-scheduling.ts';
import { quantity } from '../../../model/quantity.ts';
import { shorten } from './shorten.ts';
import { situationOf } from './situations-fixture.ts';

const pod = situationOf('too-much-memory').pod as Pod;

test('quantities are numbers in any unit', (t) => {
  const amounts = ['500m', '2', '1Ki', '1.5Gi', '1e3', '2E', '', 'x', '1Zi', '1 Gi'].map(quantity);
  t.deepEqual(amounts, [0.5, 2, 1024, 1.5 * 2 ** 30, 1000, 2e18, undefined, undefined, undefined, undefined]);
});

test('long words keep their beginning and their end, on one line', (t) => {
  const short = shorten(`begin\n${'x'.repeat(1_000)} end`);
  t.true(short.length <= 300);
  t.regex(short, /^begin x+ … x+ end$/);
  t.is(shorten('a\n  b'), 'a b');
});

// Messages of the scheduler's plugins (pkg/scheduler/framework/plugins) that one node alone does not give.
const scheduling: readonly (readonly [words: string, says: RegExp])[] = [
  [
    '0/3 nodes are available: 1 node(s) were unschedulable, 2 Too many pods.',
    /\(3 in all\): 1 has been closed to new pods \(cordoned\); 2 have as many pods as may run there$/,
  ],
  [
    '0/2 nodes are available: 2 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }. preemption: 0/2 …',
    /2 have the taint node.kubernetes.io\/disk-pressure$/,
  ],
  ['0/1 nodes are available: 1 node(s) had untolerated taint {pool: gpu, only}.', /1 has the taint pool=gpu, only$/],
  ['0/1 nodes are available: 1 node(s) had volume node affinity conflict.', /1 has no access to the volume$/],
  [
    "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
    /the fault: didn't satisfy existing pods/,
  ],
  ['no nodes available to schedule pods', /^the cluster has no node$/],
  ['something new', /^something new$/],
];

for (const [words, says] of scheduling) {
  test(`scheduler: ${words}`, (t) => {
    t.like(explainScheduling(pod, words), { reason: 'unschedulable', hope: 'later' });
    t.regex(explainScheduling(pod, words).message, says);
  });
}

// Messages of registries and of containerd of several versions.
const pulls: readonly (readonly [words: string, hope: 'none' | 'soon'])[] = [
  [
    'failed to authorize: failed to fetch anonymous token: Get "https://auth.example.com/token": dial tcp: lookup auth.example.com: no such host',
    'soon',
  ],
  ['failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized', 'none'],
  [
    'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    'none',
  ],
  ['manifest unknown: manifest unknown', 'none'],
  ['toomanyrequests: You have reached your pull rate limit.', 'soon'],
  ['unexpected status from HEAD request to https://registry.example.com/v2/app/manifests/1: 502 Bad Gateway', 'soon'],
  ['write /var/lib/containerd/io.containerd.content.v1.content/ingest/x/data: no space left on device', 'soon'],
  ['tls: failed to verify certificate: x509: certificate signed by unknown authority', 'soon'],
  ['net/http: TLS handshake timeout', 'soon'],
  ['something new', 'soon'],
];

for (const [words, hope] of pulls) {
  test(`pull: ${words}`, (t) =>
    t.like(explainPull('registry.example.com/app:1', words), { reason: 'image_pull', hope }));
}

// Answers of admission plugins that the test cluster does not give.
const refusals: readonly (readonly [words: string, hope: 'none' | 'soon', says: RegExp])[] = [
  [
    'Error creating: Internal error occurred: failed calling webhook "policy.example.com": failed to call webhook: Post "https://policy.kube-system.svc:443/?timeout=10s": context deadline exceeded',
    'soon',
    /^webhook "policy.example.com" does not answer/,
  ],
  [
    'Error creating: pods "a-1" is forbidden: unable to create new content in namespace tasks because it is being terminated',
    'none',
    /namespace is being deleted/,
  ],
  [
    'jobs.batch is forbidden: User "system:serviceaccount:ci:runner" cannot create resource "jobs" in API group "batch" in the namespace "tasks"',
    'none',
    /cannot create resource "jobs"/,
  ],
  ['Error creating: etcdserver: request timed out', 'soon', /could not decide: etcdserver/],
];

for (const [words, hope, says] of refusals) {
  test(`refusal: ${words}`, (t) => {
    t.like(explainRefusal(words), { reason: 'admission_denied', hope });
    t.regex(explainRefusal(words).message, says);
  });
}

test('a quota with several resources names each of them', (t) => {
  const words = 'exceeded quota: team, requested: cpu=1,pods=1, used: cpu=3500m,pods=2, limited: cpu=4,pods=10';
  t.is(
    explainRefusal(words).message,
    'quota "team" is used up: cpu needs 1, 3500m of 4 is used; pods needs 1, 2 of 10 is used',
  );
});
