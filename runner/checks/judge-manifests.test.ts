import test from 'ava';
import { judgeManifest } from './judge-manifests.ts';

const sound = `apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  template:
    spec:
      securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: app
          image: registry.example/shop:1.4
          securityContext: { allowPrivilegeEscalation: false }
          resources: { limits: { memory: 256Mi } }
`;

const rules = (text: string): readonly string[] => judgeManifest(text, 'app.yaml').map(({ rule }) => rule);

test('E16, R003-17: a manifest whose pods ask for nothing is let pass', (t) => {
  t.deepEqual(judgeManifest(sound, 'app.yaml'), []);
  t.deepEqual(judgeManifest(`${sound}---\nkind: Service\nmetadata: { name: shop }\n---\n`, 'app.yaml'), []);
});

test('E16, R003-17: each thing that a pod may not ask for is found, with its line', (t) => {
  const replacements: readonly (readonly [from: string, to: string, rule: string])[] = [
    ['allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: false, privileged: true', 'privileged'],
    [
      'allowPrivilegeEscalation: false',
      'allowPrivilegeEscalation: false, capabilities: { add: [NET_ADMIN] }',
      'capability',
    ],
    ['allowPrivilegeEscalation: false', 'readOnlyRootFilesystem: true', 'privilege-escalation'],
    ['runAsNonRoot: true, ', '', 'run-as-root'],
    ['allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: false, runAsNonRoot: false', 'run-as-root'],
    ['RuntimeDefault', 'Unconfined', 'seccomp'],
    ['shop:1.4', 'shop:latest', 'image-unpinned'],
    ['shop:1.4', 'shop', 'image-unpinned'],
    ['registry.example/shop:1.4', 'registry.example:5000/shop', 'image-unpinned'],
    ['limits: { memory: 256Mi }', 'requests: { memory: 256Mi }', 'memory-limit'],
    ['containers:', 'hostNetwork: true\n      containers:', 'host-namespace'],
    ['containers:', 'volumes: [{ name: v, hostPath: { path: / } }]\n      containers:', 'host-path'],
  ];
  for (const [from, to, rule] of replacements) {
    t.true(sound.includes(from), from);
    t.deepEqual(rules(sound.replace(from, to)), [rule], `${from} → ${to}`);
  }
  const [found] = judgeManifest(sound.replace('shop:1.4', 'shop:latest'), 'app.yaml');
  t.like(found, { severity: 'medium', path: 'app.yaml', line: 9 });
  t.regex(found?.message ?? '', /^Deployment shop app has an image/);
});

test('init containers, jobs in cron jobs and the items of a list are looked at too', (t) => {
  t.deepEqual(rules(sound.replace('containers:', 'initContainers:').replace('shop:1.4', 'shop')), ['image-unpinned']);
  t.true(
    rules(
      'kind: CronJob\nspec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: a }] } } } } }',
    ).includes('run-as-root'),
  );
  t.true(
    rules('kind: List\nitems: [{ kind: Pod, spec: { containers: [{ name: a, image: "b:1" }] } }]').includes(
      'run-as-root',
    ),
  );
});

test('a Secret with its values belongs in no repository; one without is a place for them', (t) => {
  t.deepEqual(rules('kind: Secret\nmetadata: { name: s }\nstringData: { password: x }'), ['secret-in-file']);
  t.deepEqual(rules('kind: Secret\nmetadata: { name: s }\ndata: {}'), []);
});

test('what an anchor or a merge key brings counts as if it stood there', (t) => {
  const escalating = 'allowPrivilegeEscalation: false';
  t.deepEqual(rules(`x: &on true\n${sound.replace(escalating, `${escalating}, privileged: *on`)}`), ['privileged']);
  t.deepEqual(
    rules(`x: &add [NET_ADMIN]\n${sound.replace(escalating, `${escalating}, capabilities: { add: *add }`)}`),
    ['capability'],
  );
  t.deepEqual(rules(`x: &base { privileged: true }\n${sound.replace(escalating, `${escalating}, <<: *base`)}`), [
    'privileged',
  ]);
  const [whole] = judgeManifest(
    'kind: Pod\nx: &c { name: a, image: "b:1" }\nspec:\n  containers:\n    - *c\n',
    'pod.yaml',
  );
  t.like(whole, { rule: 'run-as-root', line: 5 });
  const bomb = 'a: &a [x, x]\n'.concat(
    ...['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((key, index) => {
      const before = `*${'abcdefg'[index] ?? ''}`;
      return `${key}: &${key} [${Array.from({ length: 9 }, () => before).join(', ')}]\n`;
    }),
  );
  t.throws(() => judgeManifest(`${bomb}kind: Pod\n`, 'bomb.yaml'), { code: 'ERR_GATE', message: /^bomb\.yaml: / });
});

test('a file without an object of Kubernetes proves nothing', (t) => {
  for (const text of ['', '# later\n', 'hello', '- a', 'services: { web: { image: x, privileged: true } }']) {
    t.throws(() => judgeManifest(text, 'compose.yaml'), {
      code: 'ERR_GATE',
      message: /^compose\.yaml has no object of Kubernetes/,
    });
  }
});

test('a file that is no YAML is refused with its place', (t) => {
  t.throws(() => judgeManifest('kind: {', 'app.yaml'), { code: 'ERR_GATE', message: /^app\.yaml: .* line 1/ });
});
