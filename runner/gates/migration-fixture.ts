import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { contractService } from '../environments/contract-service-fixture.ts';
import type { DatabaseUrls } from '../environments/database-roles.ts';
import { LocalSite } from '../environments/local/local-site.ts';
import { keepRelease } from '../environments/local/release-files.ts';
import type { TestSupervisor } from '../environments/local/supervisor-fixture.ts';
import type { EnvironmentName } from '../environments/release.ts';
import { withConnection } from '../migrations/database/connection.ts';
import type { Row } from '../migrations/database/connection.ts';
import type { Backend } from '../model/backend.ts';
import { systemClock } from '../model/clock.ts';
import { operations } from '../model/operations.ts';
import type { OperationName } from '../model/operations.ts';
import { loadOperation } from './operations.ts';
import { recordEvidence, recordRelease } from './records.ts';

/** An app that serves whatever its database is like. */
const app = `import { createServer } from 'node:http';
createServer((_, response) => response.end()).listen(Number(process.env.PORT));
process.on('SIGTERM', () => process.exit(0));
`;

/** Applies `migrate.sql`: no tool that anybody knows. */
const script = 'psql -X -q -v ON_ERROR_STOP=1 -f migrate.sql "$DATABASE_URL"';

export interface OperationRun {
  readonly outputs: Readonly<Record<string, string>>;
  readonly log: string;
}

export interface OperationWish {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly programs?: string;
  readonly signal?: AbortSignal;
  readonly say?: (line: string) => void;
  readonly clock?: () => number;
}

/** A commit of a backend, as the steps of its run see it. */
export class TestCommit {
  readonly #backend: MigrationBackend;
  readonly run: string;
  readonly id: string;
  readonly workspace: string;
  #attempt = 0;

  constructor(backend: MigrationBackend, count: number, workspace: string) {
    this.#backend = backend;
    this.run = `run-${count}`;
    this.id = String(count).padStart(40, '0');
    this.workspace = workspace;
  }

  /** Carries out an operation with the inputs that its gate gives by default. */
  async operate(name: OperationName, wish: OperationWish = {}): Promise<OperationRun> {
    const { inputs = {}, signal, say, clock = systemClock } = wish;
    const entry = { database: undefined, ...operations[name] };
    const values: Readonly<Record<string, string>> = { ...entry.inputs, run: script, soak: '100ms', ...inputs };
    const { site, databases, backups, programs: usual } = this.#backend;
    const { programs = usual } = wish;
    const lines: string[] = [];
    const operation = await loadOperation(name);
    this.#attempt += 1;
    const outputs = await operation({
      ...{ site, programs, backups, run: this.run, attempt: this.#attempt, workspace: this.workspace, commit: this.id },
      ...{ branch: 'main', actor: 'ada', clock, signal: signal ?? AbortSignal.timeout(120_000) },
      input: (input) => values[input] ?? '',
      build: () => Promise.reject(new Error('the release was made before')),
      database: entry.database && databases[entry.database],
      say: (line) => {
        lines.push(line);
        say?.(line);
      },
    });
    return { outputs, log: lines.join('\n') };
  }

  /** The gate `migrate`. */
  async migrate(inputs: Readonly<Record<string, string>> = {}): Promise<OperationRun> {
    await this.operate('copy-schema');
    return this.operate('migrate-testing', { inputs });
  }

  /** The gate `promote`, once the tests of this commit have passed; answers what its `prepare` said. */
  async promote(inputs: Readonly<Record<string, string>> = {}): Promise<OperationRun> {
    await this.operate('check-release', { inputs: { way_back: 'none' } });
    const prepared = await this.operate('prepare-production', { inputs });
    await this.operate('switch-traffic');
    await this.operate('confirm-release');
    return prepared;
  }
}

/** A backend with a database on this machine, whose commits are folders. */
export class MigrationBackend {
  readonly site: LocalSite;
  readonly databases: Readonly<Record<EnvironmentName, DatabaseUrls>>;
  readonly programs: string;
  readonly backups: string;
  readonly #supervisor: TestSupervisor;
  readonly #folder: string;
  #count = 0;

  private constructor(
    supervisor: TestSupervisor,
    site: LocalSite,
    databases: MigrationBackend['databases'],
    programs: string,
  ) {
    this.#supervisor = supervisor;
    this.#folder = mkdtempSync(join(tmpdir(), 'sluice-commits-'));
    this.site = site;
    this.databases = databases;
    this.programs = programs;
    this.backups = join(this.#folder, 'backups');
  }

  static async open(supervisor: TestSupervisor, name: string): Promise<MigrationBackend> {
    const backend: Backend = { name, services: [contractService], database: { engine: 'postgres' } };
    const access = await supervisor.client.ensure({ backend, repository: name });
    if (access.databases === undefined) throw new Error('a backend with a database has URLs');
    const site = new LocalSite({ folder: supervisor.folder, backend, access });
    const programs = [access.programs, process.env['PATH']].join(delimiter);
    return new MigrationBackend(supervisor, site, access.databases, programs);
  }

  /** A commit whose release is made and whose tests have passed. */
  async commit(sql: string, files: Readonly<Record<string, string>> = {}): Promise<TestCommit> {
    this.#count += 1;
    const workspace = join(this.#folder, `commit-${this.#count}`);
    for (const [path, text] of Object.entries({ 'server.mjs': app, 'migrate.sql': sql, ...files })) {
      mkdirSync(dirname(join(workspace, path)), { recursive: true });
      writeFileSync(join(workspace, path), text);
    }
    const commit = new TestCommit(this, this.#count, workspace);
    const image = await keepRelease(this.#supervisor.releases, workspace, 'node-24', AbortSignal.timeout(10_000));
    const origin = { run: commit.run, commit: commit.id, branch: 'main', actor: 'ada' };
    const services = [{ ...contractService, image }];
    const { name } = await recordRelease(this.site, { ...origin, createdAt: new Date().toISOString(), services });
    await this.passed(name, commit);
    return commit;
  }

  /** As `run-tests` does it. */
  async passed(release: string, { run, id }: TestCommit, tests = 'true'): Promise<void> {
    const passedAt = new Date().toISOString();
    await recordEvidence(this.site, { release, run, commit: id, passedAt, script: tests, schemas: [] });
  }

  /** Rows of a statement, by the rights of the superuser. */
  query(environment: 'testing' | 'production', statement: string): Promise<readonly Row[]> {
    const { admin } = this.databases[environment];
    return withConnection({ url: admin, signal: AbortSignal.timeout(60_000) }, (connection) =>
      connection.query(statement),
    );
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
