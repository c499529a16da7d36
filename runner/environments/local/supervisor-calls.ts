import type { Backend, OwnedBackend } from '../../model/backend.ts';
import type { Json } from '../../model/json.ts';
import type { KnownBackend } from '../backends.ts';
import type { DatabaseUrls } from '../database-roles.ts';
import type { PreviewPlace } from '../previews.ts';
import type { EnvironmentName, Release } from '../release.ts';
import type { ReleaseHealth, Site, SiteTask } from '../site.ts';

/** Counts up when a call or its answer changes: client and supervisor may be of different versions of Sluice. */
export const protocol = 3;

/** Files of releases, below the folder of the environments. */
export const releasesFolder = 'releases';

/** Backups of production, below the same folder, each backend's in a folder of its own. */
export const backupsFolder = 'backups';

/** What an operation on this machine has to know; it travels in the variable `SLUICE_SITE`. */
export interface LocalSiteDescription {
  readonly kind: 'local';
  readonly backend: Backend;
  /** Folder of the environments of this user. */
  readonly folder: string;
  readonly access: BackendAccess;
}

/** How the environments of a backend are reached. */
export interface BackendAccess {
  readonly urls: Readonly<Record<EnvironmentName, string>>;
  readonly databases: Readonly<Record<EnvironmentName, DatabaseUrls>> | undefined;
  /** Folder with the programs of the server of these databases. */
  readonly programs?: string;
}

export interface EnvironmentView {
  readonly backend: string;
  readonly environment: EnvironmentName;
  /** For people. Programs use the other: not every machine knows names that end in `.localhost`. */
  readonly name: string;
  readonly url: string;
  /** The release that they lead to. */
  readonly routed: string | undefined;
  readonly releases: readonly { readonly release: string; readonly health: ReleaseHealth }[];
  /** Absent for a backend without a database. */
  readonly database?: 'ready' | 'starting';
}

/** What may become of a backend. */
export type BackendMarks = Pick<KnownBackend, 'isProtected' | 'deleteAt'>;

/** What a supervisor is. */
export interface Greeting {
  readonly protocol: number;
  readonly pid: number;
}

/** What a supervisor does for its clients: each is a request with the arguments as a JSON list, and its value as the answer. */
export interface SupervisorCalls {
  greet(): Promise<Greeting>;
  /** Brings the environments of a backend about, with the preview that the run is about. ERR_CONFLICT when they belong to another repository, or previews are too many. */
  ensure(owned: OwnedBackend, isProtected?: boolean): Promise<BackendAccess>;
  list(): Promise<readonly EnvironmentView[]>;
  /** Of all backends. */
  previews(): ReturnType<PreviewPlace['list']>;
  removePreview(...args: Parameters<PreviewPlace['remove']>): ReturnType<PreviewPlace['remove']>;
  backends(): Promise<readonly KnownBackend[]>;
  /** As `protect` and `markForDeletion` of `Backends`: ERR_CONFLICT for a time to delete what is protected. */
  mark(name: string, marks: BackendMarks): Promise<KnownBackend>;
  /** Ends its processes, and removes its databases, records and logs. ERR_CONFLICT while it is protected. */
  remove(name: string): Promise<void>;
  /** Ends everything, the supervisor last. */
  stop(): Promise<void>;
}

type Called = 'read' | 'write' | 'list' | 'start' | 'health' | 'endTasks' | 'route' | 'routed' | 'keep';

/** The part of a site that is done by the supervisor; the name of the backend comes first. */
export interface BackendCalls extends Pick<Site, Called> {
  task(environment: EnvironmentName, release: Release, task: Omit<SiteTask, 'signal'>): ReturnType<Site['task']>;
}

export type CallAnswer = { readonly value?: Json } | { readonly error: CallFault };

export interface CallFault {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}
