import type { Backend } from '../model/backend.ts';
import type { Json } from '../model/json.ts';
import type { EnvironmentName, Release } from './release.ts';

/** Something on record, and the version that a change of it must name. */
export interface SiteRecord {
  readonly value: Json;
  readonly version: string;
}

/** How the pods or processes of a release are. */
export type ReleaseHealth =
  | { readonly state: 'healthy' }
  | { readonly state: 'starting'; readonly message: string }
  /** It will not come to be healthy by waiting. `message` says why, with the last lines that it wrote. */
  | { readonly state: 'failed'; readonly message: string };

export interface SiteTask {
  /** Unique in the backend for what the task does. */
  readonly name: string;
  /** Of one group one task runs at a time: others that were begun before are ended first. */
  readonly group: string;
  /** Name of another database on the server of the environment, which it works with instead. */
  readonly database?: string;
  /** Variables beside those that every task has. */
  readonly env?: Readonly<Record<string, string>>;
  readonly script: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface TaskEnd {
  readonly exitCode: number;
  /** What it wrote, the end of it when that is much. */
  readonly output: string;
  /** What the cluster ended it for: it took more memory, or more time, than it may. */
  readonly exceeded?: 'memory' | 'time';
}

/** An answer of an app. */
export interface AppAnswer {
  readonly status: number;
  /** The release that gave it, by the word of the gateway. */
  readonly release: string | undefined;
}

/**
 * Where the environments of one backend are: a namespace of a cluster, or this machine. Level-based: every method can be called again at any time, and
 * brings about what it says whatever was before.
 */
export interface Site {
  readonly backend: Backend;
  /** Records are small JSON documents. */
  read(name: string): Promise<SiteRecord | undefined>;
  /** ERR_CONFLICT unless the record still has that version; undefined for one that must not be there yet. */
  write(name: string, value: Json, version: string | undefined): Promise<SiteRecord>;
  /** Names of the records that begin so, in no order. */
  list(prefix: string): Promise<readonly string[]>;
  /** Starts a release without traffic. */
  start(environment: EnvironmentName, release: Release): Promise<void>;
  health(environment: EnvironmentName, release: Release): Promise<ReleaseHealth>;
  /**
   * Runs a script with the image of a release and the rights to change the schema of the environment's database, and answers how it ended. Of a name that
   * was begun before, it is waited for instead of begun again.
   */
  task(environment: EnvironmentName, release: Release, task: SiteTask): Promise<TaskEnd>;
  /** Ends the tasks of a group, and waits until they have. */
  endTasks(group: string): Promise<void>;
  /**
   * Leads the address of the environment to a release, and nothing else there: services that it does not have lose theirs. ERR_FENCED when a greater `fence` was given before: somebody else has
   * taken the environment meanwhile, and a late word of the one before must not move it.
   */
  route(environment: EnvironmentName, release: Release, fence: number): Promise<void>;
  /** The release that the address leads to. */
  routed(environment: EnvironmentName): Promise<string | undefined>;
  /** Ends every release in an environment but these. */
  keep(environment: EnvironmentName, releases: readonly string[]): Promise<void>;
  /** Asks the app at the address of its environment. Undefined when nothing answered. */
  ask(environment: EnvironmentName, path: string): Promise<AppAnswer | undefined>;
  /** The address of an environment, for people and tests. */
  url(environment: EnvironmentName): string;
}
