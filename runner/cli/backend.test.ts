import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Ajv2020 } from 'ajv/dist/2020.js';

const launcher = join(import.meta.dirname, '../launch/sluice.js');
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
ajv.addSchema(JSON.parse(readFileSync('schemas/cli.schema.json', 'utf8')) as object);

const pipeline = `pipeline: orders
backend:
  name: orders
  services: { api: { start: node server.js, port: 3000 } }
  database: { engine: postgres }
steps: { a: { run: echo hi } }
`;

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

test('R000-9: a backend of this machine is made, shown and deleted by the command line, whose JSON is as its schema says', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-b-'));
  const repository = join(folder, 'shop');
  mkdirSync(repository);
  writeFileSync(join(repository, 'sluice.yaml'), pipeline);
  const env = { PATH: process.env['PATH'], HOME: folder, SLUICE_HOME: join(folder, 'home') };
  const run = (program: string, args: readonly string[]): Promise<Said> =>
    new Promise((resolve) => {
      execFile(program, args, { cwd: repository, env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
  const sluice = (...args: readonly string[]) => run(process.execPath, [launcher, ...args]);
  const json = async (definition: string, ...args: readonly string[]): Promise<unknown> => {
    const { out, err, code } = await sluice('--json', 'backend', ...args);
    t.is(code, 0, err);
    const document: unknown = JSON.parse(out);
    t.true(ajv.validate(`cli.schema.json#/$defs/${definition}`, document), `${ajv.errorsText()} in ${out}`);
    return document;
  };
  t.teardown(async () => {
    await sluice('environments', 'stop');
    rmSync(folder, { recursive: true, force: true });
  });
  await run('git', ['init', '-q', '-b', 'main', '.']);

  t.like(await json('backend', 'create'), { name: 'orders', repository: 'shop', protected: true, state: 'active' });
  t.like(await json('backends', 'list'), { backends: [{ name: 'orders' }] });
  t.like(await json('backendStatus', 'show', 'orders'), {
    environments: [
      { environment: 'testing', database: 'ready' },
      { environment: 'production', releases: [] },
    ],
  });
  t.deepEqual(await json('drifts', 'drift', 'orders'), { drift: [] });
  t.deepEqual(await json('drifts', 'reconcile', 'orders'), { drift: [] });
  const shown = await sluice('backend', 'show', 'orders');
  t.regex(
    shown.out,
    /^orders {2}shop {2}active {2}protected\n {2}testing {2}no release {2}http:\S+ {2}database ready$/m,
  );

  const refusals: readonly (readonly [args: readonly string[], code: number, text: RegExp])[] = [
    [['show'], 2, /the name of the backend is missing/],
    [['show', 'nobody'], 2, /there is no backend "nobody"[\s\S]*sluice backend list/],
    [['delete-preview', 'orders', 'preview-pr-1'], 2, /has no preview "preview-pr-1"[\s\S]*It has none at all/],
    [['delete-preview', 'orders'], 2, /the name of the preview is missing/],
    [['rollback', 'orders'], 1, /no release is live/],
    [['delete', 'orders', '--confirm', 'orders'], 3, /is protected[\s\S]*sluice backend unprotect orders/],
  ];
  for (const [args, code, text] of refusals) {
    const said = await sluice('backend', ...args);
    t.is(said.code, code, said.err);
    t.regex(said.err, text);
  }
  t.like(await json('backend', 'unprotect', 'orders'), { protected: false });
  t.regex(
    (await sluice('backend', 'delete', 'orders')).err,
    /name was not repeated. With it goes the testing database/,
  );
  t.like(await json('backendDelete', 'delete', 'orders', '--confirm', 'orders'), {
    deleted: 'orders',
    lost: { databases: ['testing', 'production'] },
  });
  t.deepEqual(await json('backends', 'list'), { backends: [] });
  writeFileSync(join(repository, 'sluice.yaml'), 'pipeline: p\nsteps: { a: { run: echo hi } }\n');
  const none = await sluice('backend', 'create');
  t.is(none.code, 2);
  t.regex(none.err, /sluice.yaml describes no backend/);
});
