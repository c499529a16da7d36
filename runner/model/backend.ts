/** What a repository deploys, as its pipeline file describes it. Its name is that of its namespace. */
export interface Backend {
  readonly name: string;
  /** The first one with a port is the one that the backend's own address leads to. */
  readonly services: readonly BackendService[];
  readonly database?: BackendDatabase;
  /** Patterns of the branches that may go to production; any may where it is not said. */
  readonly promote?: { readonly branches: readonly string[] };
  /** Where its runs work in place of `testing`; absent for those that lead to production. */
  readonly preview?: Preview;
}

/** `preview-login-form-kfmbpaa`: name of an environment, and a part of names of objects, hosts and databases. */
export type PreviewName = `preview-${string}`;

/** The environment of one branch or pull request. */
export interface Preview {
  readonly environment: PreviewName;
  /** The branch that it shows; of a pull request that of its head. */
  readonly branch: string;
  readonly pullRequest?: number;
  /** How long it stays after the begin of its last run, ms. */
  readonly ttlMs: number;
  /** How many the backend may have at once. */
  readonly max: number;
}

export function isPreview(environment: string): environment is PreviewName {
  return environment.startsWith('preview-');
}

/** Where the runs of a backend try what they made. */
export function trialOf({ preview }: Pick<Backend, 'preview'>): 'testing' | PreviewName {
  return preview?.environment ?? 'testing';
}

/** Runs that work in the same environments: one is under way at a time. Previews are beside each other, and beside the way to production. */
export function groupOfRuns(backend: string, preview: PreviewName | undefined): string {
  return preview === undefined ? `backend/${backend}` : `backend/${backend}/${preview}`;
}

/** A long-running process of a backend. */
export interface BackendService {
  readonly name: string;
  /** Command line of a POSIX shell; without it the image says what it runs. */
  readonly start?: string;
  /** Image that its release is built on. Of one with a Containerfile, that says it. */
  readonly image: string;
  /** Path of the Containerfile in the repository that its image is built from. */
  readonly containerfile?: string;
  readonly port?: number;
  /** Path that answers 2xx when it is healthy. */
  readonly health?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly replicas: number;
}

export interface BackendDatabase {
  readonly engine: 'postgres';
  readonly version?: string;
  /** Command that fills the testing database. */
  readonly seed?: string;
}

/** A backend, and the repository that it belongs to. No other repository may deploy to its namespace. */
export interface OwnedBackend {
  readonly backend: Backend;
  readonly repository: string;
}
