import type { Connection } from '../database/connection.ts';

export interface MigrationFile {
  /** As the tool's table has it. */
  readonly name: string;
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  /** As the tool works it out, where it does. */
  readonly checksum?: string;
  /** It runs again whenever it changes. */
  readonly repeatable?: true;
  /** Names of those that come before it, where the tool has a graph. */
  readonly needs?: readonly string[];
}

export interface AppliedMigration {
  readonly name: string;
  readonly checksum?: string;
  /** It began and did not end well. */
  readonly incomplete?: true;
}

/** Where a repository has the migrations of a tool. */
export interface MigrationSite {
  /** Absolute path of the repository. */
  readonly root: string;
  /** Folder of the migrations in it, with forward slashes. */
  readonly folder: string;
}

/** A migration tool as Sluice sees it: files and a table. It reads both and changes neither; the tool itself is a command. */
export interface MigrationTool {
  readonly name: string;
  /** Whether it runs each file in a transaction, unless the file says otherwise. */
  readonly transactional: boolean;
  /** Whether the order of names is the order of running, so that a file may come too late. */
  readonly ordered: boolean;
  /** The folder of its migrations, undefined when the repository does not use the tool. */
  detect(root: string): Promise<string | undefined>;
  /** In the order in which they run. */
  files(site: MigrationSite): Promise<readonly MigrationFile[]>;
  /** What its table says; nothing when there is no table. In the order of the files where it tells only how far it came. */
  applied(connection: Connection, files: readonly MigrationFile[]): Promise<readonly AppliedMigration[]>;
}
