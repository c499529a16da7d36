/** What a repository deploys, as its pipeline file describes it. Its name is that of its namespace. */
export interface Backend {
  readonly name: string;
  /** The first one with a port is the one that the backend's own address leads to. */
  readonly services: readonly BackendService[];
  readonly database?: BackendDatabase;
  /** Patterns of the branches that may go to production; any may where it is not said. */
  readonly promote?: { readonly branches: readonly string[] };
}

/** A long-running process of a backend. */
export interface BackendService {
  readonly name: string;
  /** Command line of a POSIX shell. */
  readonly start: string;
  /** Image that its release is built on. */
  readonly image: string;
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
