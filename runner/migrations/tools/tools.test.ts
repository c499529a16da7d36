import { createHash } from 'node:crypto';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { SluiceError } from '../../model/errors.ts';
import { startPostgres } from '../../store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../../store/postgres/postgres-server-fixture.ts';
import { withConnection } from '../database/connection.ts';
import { temporaryFolder } from '../files-fixture.ts';
import { detectTool } from './detect-tool.ts';
import { checksumOf } from './flyway.ts';
import { readStatus } from './read-status.ts';
import type { MigrationStatus } from './status.ts';

let server: PostgresServer;
test.before(async () => {
  server = await startPostgres();
});
test.after.always(() => server.remove());

const signal = AbortSignal.timeout(600_000);
type Files = Readonly<Record<string, string>>;

const packages = (name: string) => ({ 'package.json': JSON.stringify({ dependencies: { [name]: '1.0.0' } }) });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const status = (tool: string, more: Partial<MigrationStatus>): MigrationStatus => ({
  tool,
  applied: [],
  pending: [],
  incomplete: [],
  changed: [],
  missing: [],
  outOfOrder: [],
  ...more,
});

async function statusIn(t: ExecutionContext, files: Files, statements: string): Promise<MigrationStatus> {
  const detected = await detectTool(await temporaryFolder(t, files));
  if (detected === undefined) throw new Error('no tool was found');
  const url = await server.database();
  if (statements !== '') await server.query(statements, new URL(url).pathname.slice(1));
  return withConnection({ url, signal }, (connection) => readStatus(detected, connection));
}

/** A repository of each tool, what its table holds, and the status that follows. The tables are as the tools make them. */
const cases: readonly (readonly [title: string, files: Files, statements: string, expected: MigrationStatus])[] = [
  [
    'node-pg-migrate',
    {
      ...packages('node-pg-migrate'),
      'migrations/1_a.js': '',
      'migrations/2_b.sql': '',
      'migrations/3_c.ts': '',
      'migrations/3_c.d.ts': '',
    },
    `CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);
     INSERT INTO pgmigrations (name, run_on) VALUES ('1_a', now()), ('3_c', now())`,
    status('node-pg-migrate', { applied: ['1_a', '3_c'], pending: ['2_b'], outOfOrder: ['2_b'] }),
  ],
  [
    'knex',
    { ...packages('knex'), 'knexfile.js': '', 'migrations/1_a.js': '', 'migrations/2_b.js': '' },
    `CREATE TABLE knex_migrations (id serial, name varchar(255), batch integer, migration_time timestamptz);
     INSERT INTO knex_migrations (name, batch) VALUES ('0_old.js', 1), ('1_a.js', 1)`,
    status('knex', { applied: ['1_a.js'], pending: ['2_b.js'], missing: ['0_old.js'] }),
  ],
  [
    'sequelize',
    { ...packages('sequelize'), '.sequelizerc': '', 'db/migrations/1-a.js': '', 'db/migrations/2-b.cjs': '' },
    `CREATE TABLE "SequelizeMeta" (name varchar(255) PRIMARY KEY); INSERT INTO "SequelizeMeta" VALUES ('1-a.js')`,
    status('sequelize', { applied: ['1-a.js'], pending: ['2-b.cjs'] }),
  ],
  [
    'prisma, with one that changed, one that failed, and one that was rolled back by hand',
    {
      'prisma/migrations/migration_lock.toml': '',
      'prisma/migrations/1_a/migration.sql': 'SELECT 1;',
      'prisma/migrations/2_b/migration.sql': 'SELECT 2;',
      'prisma/migrations/3_c/migration.sql': 'SELECT 3;',
      'prisma/migrations/4_d/migration.sql': 'SELECT 4;',
    },
    `CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
       migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
       applied_steps_count integer NOT NULL DEFAULT 0);
     INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, rolled_back_at) VALUES
       ('1', '${sha256('SELECT 1;')}', now(), '1_a', NULL), ('2', '${sha256('SELECT 22;')}', now(), '2_b', NULL),
       ('3', 'x', NULL, '3_c', NULL), ('4', 'x', NULL, '4_d', now())`,
    status('prisma', { applied: ['1_a', '2_b'], pending: ['4_d'], incomplete: ['3_c'], changed: ['2_b'] }),
  ],
  [
    'alembic, where the table names the head of a graph with a merge',
    {
      'alembic.ini': '[alembic]\nscript_location = %(here)s/db\n',
      'db/versions/z1.py': 'revision = "a1"\ndown_revision = None\n',
      'db/versions/y2.py': 'revision: str = "b2"\ndown_revision: Union[str, None] = "a1"\n',
      'db/versions/x3.py': "revision = 'b3'\ndown_revision = 'a1'\n",
      'db/versions/w4.py': "revision = 'c4'\ndown_revision = ('b2',\n  'b3')\n",
      'db/versions/v5.py': "revision = 'd5'\ndown_revision = 'c4'\ndepends_on = None\n",
      'db/versions/__init__.py': '',
    },
    `CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('c4')`,
    status('alembic', { applied: ['a1', 'b2', 'b3', 'c4'], pending: ['d5'] }),
  ],
  [
    'django, with apps that need each other and one that has no files here',
    {
      'manage.py': '',
      'shop/migrations/__init__.py': '',
      'shop/migrations/0001_initial.py':
        'class Migration:\n    dependencies = [\n        ("users", "0002_more"),\n        migrations.swappable_dependency(x),\n    ]\n',
      'project/users/migrations/__init__.py': '',
      'project/users/migrations/0001_initial.py': 'class Migration:\n    dependencies = []\n',
      'project/users/migrations/0002_more.py': "class Migration:\n    dependencies = [('users', '0001_initial')]\n",
    },
    `CREATE TABLE django_migrations (id bigserial, app varchar(255), name varchar(255), applied timestamptz);
     INSERT INTO django_migrations (app, name) VALUES ('auth', '0001_initial'), ('users', '0001_initial')`,
    status('django', { applied: ['users.0001_initial'], pending: ['users.0002_more', 'shop.0001_initial'] }),
  ],
  [
    'flyway, with a baseline, numbers that are no text, a failure and a repeatable script that changed',
    {
      'src/main/resources/db/migration/V1__a.sql': 'SELECT 1;',
      'src/main/resources/db/migration/V2__b.sql': 'SELECT 2;\n',
      'src/main/resources/db/migration/V2.1__c.sql': 'SELECT 3;',
      'src/main/resources/db/migration/V10__d.sql': 'SELECT 4;',
      'src/main/resources/db/migration/V11__e.sql': 'SELECT 5;',
      'src/main/resources/db/migration/R__views.sql': 'SELECT 6;',
      'src/main/resources/db/migration/R__same.sql': 'SELECT 7;',
    },
    `CREATE TABLE flyway_schema_history (installed_rank integer PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL,
       type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum integer, installed_by varchar(100) NOT NULL DEFAULT '',
       installed_on timestamp NOT NULL DEFAULT now(), execution_time integer NOT NULL DEFAULT 0, success boolean NOT NULL);
     INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, checksum, success) VALUES
       (1, '1', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, true),
       (2, '2', 'b', 'SQL', 'V2__b.sql', ${checksumOf('SELECT 2;')}, true), (3, '10', 'd', 'SQL', 'V10__d.sql', 99, false),
       (4, NULL, 'views', 'SQL', 'R__views.sql', 1, true), (5, NULL, 'same', 'SQL', 'R__same.sql', ${checksumOf('SELECT 7;')}, true)`,
    status('flyway', {
      applied: ['V1__a.sql', 'V2__b.sql', 'R__same.sql'],
      pending: ['V2.1__c.sql', 'V11__e.sql', 'R__views.sql'],
      incomplete: ['V10__d.sql'],
    }),
  ],
  [
    'golang-migrate, whose table has only the version that was reached, and that it failed',
    {
      'db/migrations/0001_a.up.sql': '',
      'db/migrations/0001_a.down.sql': '',
      'db/migrations/0002_b.up.sql': '',
      'db/migrations/0010_c.up.sql': '',
    },
    'CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (2, true)',
    status('golang-migrate', { applied: ['0001_a'], pending: ['0010_c'], incomplete: ['0002_b'] }),
  ],
  [
    'plain files without a table',
    { 'migrations/1.sql': '', 'migrations/1.down.sql': '' },
    '',
    status('sql', { pending: ['1.sql'] }),
  ],
];

for (const [title, files, statements, expected] of cases) {
  test(`status of ${title}`, async (t) => {
    // A baseline stands last in the history, and first in what was applied.
    const found = await statusIn(t, files, statements);
    t.deepEqual(
      { ...found, applied: [...found.applied].toSorted() },
      { ...expected, applied: [...expected.applied].toSorted() },
    );
    t.deepEqual((await statusIn(t, files, '')).applied, []);
  });
}

test('a tool is wanted by name with its folder, and a name that no tool has is refused', async (t) => {
  const root = await temporaryFolder(t, { 'own/place/1.sql': '' });
  t.is(await detectTool(root), undefined);
  const detected = await detectTool(root, { wanted: 'sql', folder: 'own/place' });
  t.deepEqual(detected && { name: detected.tool.name, folder: detected.site.folder }, {
    name: 'sql',
    folder: 'own/place',
  });
  const error = await t.throwsAsync<SluiceError>(detectTool(root, { wanted: 'flywheel' }));
  t.regex(error.hint ?? '', /flyway, golang-migrate, sql/);
});

test('the checksum of Flyway is that of the lines without their ends', (t) => {
  t.is(checksumOf('a\r\nb\n'), checksumOf('a\nb'));
  t.is(checksumOf('\ufeffa'), checksumOf('a'));
  t.not(checksumOf('a\nb'), checksumOf('b\na'));
  t.is(checksumOf(''), '0');
});
