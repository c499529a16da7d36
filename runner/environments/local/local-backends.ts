import type { Backend, OwnedBackend } from '../../model/backend.ts';
import { known, removeDue } from '../backends.ts';
import type { Backends, Drift, KnownBackend, RunningEnvironment, Swept } from '../backends.ts';
import type { PreviewPlace } from '../previews.ts';
import type { Site } from '../site.ts';
import { LocalSite } from './local-site.ts';
import { SupervisorClient } from './supervisor-client.ts';
import type { SupervisorStart } from './supervisor-client.ts';

export interface LocalBackendsOptions {
  /** Of the environments of this user. */
  readonly folder: string;
  /** How the supervisor is started, which whatever is asked first does. */
  readonly supervisor: SupervisorStart;
}

/** The backends of this machine, as its supervisor keeps them. */
export class LocalBackends implements Backends {
  readonly previews: PreviewPlace;
  readonly #folder: string;
  readonly #start: SupervisorStart;
  readonly #client: SupervisorClient;

  constructor({ folder, supervisor }: LocalBackendsOptions) {
    this.#folder = folder;
    this.#start = supervisor;
    this.#client = new SupervisorClient(folder);
    this.previews = localPreviews(this.#client);
  }

  async ensure(owned: OwnedBackend, isProtected?: boolean): Promise<KnownBackend> {
    await (await this.#supervisor()).ensure(owned, isProtected);
    return known(this, owned.backend.name);
  }

  async list(): Promise<readonly KnownBackend[]> {
    const found = await (await this.#supervisor()).backends();
    return found.toSorted((a, b) => (a.backend.name < b.backend.name ? -1 : 1));
  }

  async find(name: string): Promise<KnownBackend | undefined> {
    return (await this.list()).find(({ backend }) => backend.name === name);
  }

  async protect(name: string, isProtected: boolean): Promise<KnownBackend> {
    return (await this.#supervisor()).mark(name, { isProtected });
  }

  async markForDeletion(name: string, at: number): Promise<KnownBackend> {
    return (await this.#supervisor()).mark(name, { isProtected: false, deleteAt: at });
  }

  async remove(name: string): Promise<void> {
    await (await this.#supervisor()).remove(name);
  }

  async sweep(now: number): Promise<readonly Swept[]> {
    if ((await this.#client.find()) === undefined) return [];
    return removeDue(now, await this.#client.backends(), (name) => this.#client.remove(name));
  }

  async environments({ backend: { name } }: KnownBackend): Promise<readonly RunningEnvironment[]> {
    const views = await (await this.#supervisor()).list();
    const previews = await this.previews.list(name);
    return views
      .filter(({ backend }) => backend === name)
      .map(({ environment, url, routed, releases, database }) => {
        const preview = previews.find((standing) => standing.environment === environment);
        return {
          environment,
          url,
          ...(routed !== undefined && { routed }),
          releases: releases.map(({ release }) => release),
          ...(database && { database }),
          ...(preview && { preview }),
        };
      });
  }

  /** What the supervisor is to keep it keeps by itself: there is nobody who could change it behind its back. */
  drift(): Promise<readonly Drift[]> {
    return Promise.resolve([]);
  }

  async site(backend: Backend): Promise<Site> {
    const { repository } = await known(this, backend.name);
    const access = await this.#client.ensure({ backend, repository });
    return new LocalSite({ backend, folder: this.#folder, access });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #supervisor(): Promise<SupervisorClient> {
    await this.#client.start(this.#start);
    return this.#client;
  }
}

/** Without a supervisor nothing runs: whatever is there waits for the next one. */
export function localPreviews(client: SupervisorClient): PreviewPlace {
  return {
    list: async (name) => {
      const all = (await client.find()) === undefined ? [] : await client.previews();
      return name === undefined ? all : all.filter(({ backend }) => backend === name);
    },
    remove: (preview) => client.removePreview(preview),
  };
}
