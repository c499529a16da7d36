import test from 'ava';
import { changeConfig } from './image-config.ts';
import type { ConfigChanges } from './image-config.ts';

const base = {
  architecture: 'amd64',
  os: 'linux',
  config: {
    Env: ['PATH=/bin', 'HOME=/home/step'],
    Entrypoint: ['tini', '--'],
    Cmd: ['sh'],
    Healthcheck: { Test: ['CMD', 'true'] },
    Labels: { title: 'base' },
    ExposedPorts: { '80/tcp': {} },
  },
  rootfs: { type: 'layers', diff_ids: ['sha256:a'] },
  history: [{ created_by: 'base' }],
};
const added = [{ diffId: 'sha256:b', comment: 'files in /app' }];
const created = '1970-01-01T00:00:00.000Z';

const change = (changes: ConfigChanges, from: object = base) => changeConfig({ ...from }, 1, changes, added, created);

test('what is not changed stays, also what Sluice knows nothing of', (t) => {
  const { config, rootfs, history, ...rest } = change({});
  t.deepEqual(config, base.config);
  t.deepEqual(rest, { architecture: 'amd64', os: 'linux', created });
  t.deepEqual(rootfs, { type: 'layers', diff_ids: ['sha256:a', 'sha256:b'] });
  t.deepEqual(history, [
    { created_by: 'base' },
    { created, created_by: 'sluice image append', comment: 'files in /app' },
  ]);
});

test('each change is made where the specification has it', (t) => {
  const { config } = change({
    command: ['node', 'server.js'],
    workingFolder: '/app',
    environment: { PORT: '3000', HOME: '/app' },
    ports: [3000],
    user: '1000:1000',
    labels: { team: 'orders' },
  });
  t.deepEqual(config, {
    ...base.config,
    Env: ['PATH=/bin', 'HOME=/app', 'PORT=3000'],
    Cmd: ['node', 'server.js'],
    WorkingDir: '/app',
    ExposedPorts: { '80/tcp': {}, '3000/tcp': {} },
    User: '1000:1000',
    Labels: { title: 'base', team: 'orders' },
  });
});

test('an entrypoint takes away the command that was meant for another', (t) => {
  t.like(change({ entrypoint: ['node'] }), { config: { Entrypoint: ['node'], Cmd: undefined } });
  t.like(change({ entrypoint: ['node'], command: ['a.js'] }), { config: { Entrypoint: ['node'], Cmd: ['a.js'] } });
});

test('the order in which changes are given makes no other text', (t) => {
  const one = change({ environment: { A: '1', B: '2' }, labels: { a: '1', b: '2' }, ports: [1, 2] });
  const two = change({ ports: [2, 1], labels: { b: '2', a: '1' }, environment: { B: '2', A: '1' } });
  t.is(JSON.stringify(one), JSON.stringify(two));
});

test('a base without a configuration of its own gets one', (t) => {
  const { config } = change({ environment: { A: '1' } }, { rootfs: { diff_ids: ['sha256:a'] } });
  t.deepEqual(config, { Env: ['A=1'] });
});

test('a base whose layers and description disagree is refused', (t) => {
  t.throws(() => changeConfig(base, 2, {}, added, created), { code: 'ERR_UNSUPPORTED' });
});

const wrong: readonly ConfigChanges[] = [
  { workingFolder: 'app' },
  { environment: { '': '1' } },
  { environment: { 'A=B': '1' } },
  { ports: [0] },
  { ports: [65_536] },
  { ports: [1.5] },
  { command: [] },
  { entrypoint: [] },
];

for (const changes of wrong) {
  test(`the change ${JSON.stringify(changes)} is refused`, (t) => {
    t.throws(() => change(changes), { code: 'ERR_USAGE' });
  });
}
