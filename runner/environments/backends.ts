import type { Backend, OwnedBackend } from '../model/backend.ts';
import { SluiceError } from '../model/errors.ts';
import type { Json } from '../model/json.ts';
import type { PreviewPlace, StandingPreview } from './previews.ts';
import type { EnvironmentName, Release } from './release.ts';
import type { Site } from './site.ts';

/** A backend as its place knows it. */
export interface KnownBackend extends OwnedBackend {
  /** ms since 1970. */
  readonly createdAt: number;
  /** It cannot be deleted before that is lifted. */
  readonly isProtected: boolean;
  /** When it is to be deleted, ms since 1970. */
  readonly deleteAt?: number;
  /** Its end has begun. */
  readonly isEnding: boolean;
  /** What holds its end up, by the word of its place. */
  readonly obstacle?: string;
}

/** A release that the records say should run, and whether the address of its environment leads to it. */
export interface ExpectedRelease {
  readonly environment: EnvironmentName;
  readonly release: Release;
  readonly isRouted: boolean;
}

/** Something that is not as Sluice made it. What others added beside that is no drift. */
export interface Drift {
  /** Kind and name: `Deployment/api-r1`. */
  readonly object: string;
  readonly kind: 'missing' | 'changed';
  /** As server-side apply writes it: `.spec.replicas`. Absent for an object that is missing. */
  readonly field?: string;
  /** Who set the field, by the word of the API server; absent when it was taken away. */
  readonly manager?: string;
  /** Absent where there is nothing. */
  readonly is?: Json;
  readonly shouldBe?: Json;
}

/** What runs of an environment. */
export interface RunningEnvironment {
  readonly environment: EnvironmentName;
  readonly url: string;
  /** The release that the address leads to. */
  readonly routed?: string;
  readonly releases: readonly string[];
  /** Absent for a backend without. That of a preview is in the server of testing, and answers as that does. How one outside of the namespace is, nobody here knows. */
  readonly database?: 'ready' | 'starting' | 'missing' | 'outside';
  /** What a preview shows, and since when; absent for testing and production. */
  readonly preview?: StandingPreview;
}

/** A backend whose time had come. */
export interface Swept {
  readonly name: string;
  /** Why its end could not begin. */
  readonly error?: unknown;
}

/**
 * All backends of a place: namespaces of a cluster, or this machine. Level-based: every method can be called again at any time. What Sluice did not make
 * is never found, changed or removed. From its opening until `close`.
 */
export interface Backends {
  readonly previews: PreviewPlace;
  /**
   * Claims the name for a repository and brings its objects to what they should be, by force. `isProtected` is for a new one; one that is there keeps what it
   * has. ERR_CONFLICT when the name is somebody else's, or its end has begun.
   */
  ensure(owned: OwnedBackend, isProtected?: boolean): Promise<KnownBackend>;
  /** By name. */
  list(): Promise<readonly KnownBackend[]>;
  find(name: string): Promise<KnownBackend | undefined>;
  /** Protects it, which calls a deletion off, or lifts the protection. ERR_NOT_FOUND for one that is not there, as below. */
  protect(name: string, isProtected: boolean): Promise<KnownBackend>;
  /** Notes when it is to be deleted. ERR_CONFLICT while it is protected. */
  markForDeletion(name: string, at: number): Promise<KnownBackend>;
  /** Begins its end, with all its data. It is over when `find` answers undefined. ERR_CONFLICT while it is protected. */
  remove(name: string): Promise<void>;
  /** Begins the end of what is due, of each as far as it can. A place where nothing runs is not woken for that. */
  sweep(now: number): Promise<readonly Swept[]>;
  /** Testing, production, and the previews. */
  environments(known: KnownBackend): Promise<readonly RunningEnvironment[]>;
  /** What is not as it should be; nothing is changed. */
  drift(known: KnownBackend, expected: readonly ExpectedRelease[]): Promise<readonly Drift[]>;
  site(backend: Backend): Promise<Site>;
  close(): Promise<void>;
}

/** The backend that must be there. ERR_NOT_FOUND. */
export async function known(backends: Pick<Backends, 'find'>, name: string): Promise<KnownBackend> {
  const found = await backends.find(name);
  if (found !== undefined) return found;
  throw noBackend(name);
}

export function noBackend(name: string): SluiceError {
  return new SluiceError('ERR_NOT_FOUND', `there is no backend "${name}"`, { hint: 'See: sluice backend list' });
}

/** Whether it is to be deleted by now. */
export function isDue({ deleteAt = Infinity, isEnding, isProtected }: KnownBackend, now: number): boolean {
  return deleteAt <= now && !isEnding && !isProtected;
}

/** Removes what is due of these one by one: what cannot be removed holds up none of the others. */
export async function removeDue(
  now: number,
  all: readonly KnownBackend[],
  remove: (name: string) => Promise<unknown>,
): Promise<readonly Swept[]> {
  const swept: Swept[] = [];
  for (const known of all) {
    if (!isDue(known, now)) continue;
    const { name } = known.backend;
    swept.push(
      await remove(name).then(
        () => ({ name }),
        (error: unknown) => ({ name, error }),
      ),
    );
  }
  return swept;
}

/** ERR_CONFLICT for a backend that must not be deleted. */
export function refuseProtected({
  backend: { name },
  isProtected,
}: Pick<KnownBackend, 'backend' | 'isProtected'>): void {
  if (!isProtected) return;
  throw new SluiceError('ERR_CONFLICT', `the backend "${name}" is protected`, {
    hint: `Lift the protection first: \`sluice backend unprotect ${name}\`, or POST /v1/backends/${name}/protection.`,
  });
}
