import type { Backend } from '../../model/backend.ts';
import { askGateway } from '../ask-gateway.ts';
import type { EnvironmentName } from '../release.ts';
import type { AppAnswer, Site } from '../site.ts';
import { SupervisorClient } from './supervisor-client.ts';
import type { LocalSiteDescription } from './supervisor-calls.ts';

/** The environments of a backend on this machine, as its supervisor keeps them. */
export class LocalSite implements Site {
  readonly backend: Backend;
  readonly #urls: LocalSiteDescription['access']['urls'];
  readonly #supervisor: SupervisorClient;

  constructor({ backend, folder, access }: Pick<LocalSiteDescription, 'backend' | 'folder' | 'access'>) {
    this.backend = backend;
    this.#urls = access.urls;
    this.#supervisor = new SupervisorClient(folder);
  }

  read(...args: Parameters<Site['read']>): ReturnType<Site['read']> {
    return this.#supervisor.ofBackend(this.backend.name, 'read', args);
  }

  write(...args: Parameters<Site['write']>): ReturnType<Site['write']> {
    return this.#supervisor.ofBackend(this.backend.name, 'write', args);
  }

  list(...args: Parameters<Site['list']>): ReturnType<Site['list']> {
    return this.#supervisor.ofBackend(this.backend.name, 'list', args);
  }

  start(...args: Parameters<Site['start']>): ReturnType<Site['start']> {
    return this.#supervisor.ofBackend(this.backend.name, 'start', args);
  }

  health(...args: Parameters<Site['health']>): ReturnType<Site['health']> {
    return this.#supervisor.ofBackend(this.backend.name, 'health', args);
  }

  /** The end of `signal` ends the waiting, and not the task: whoever asks again waits for the same one. */
  task(...[environment, release, { signal, ...task }]: Parameters<Site['task']>): ReturnType<Site['task']> {
    return this.#supervisor.ofBackend(this.backend.name, 'task', [environment, release, task], signal);
  }

  endTasks(...args: Parameters<Site['endTasks']>): ReturnType<Site['endTasks']> {
    return this.#supervisor.ofBackend(this.backend.name, 'endTasks', args);
  }

  route(...args: Parameters<Site['route']>): ReturnType<Site['route']> {
    return this.#supervisor.ofBackend(this.backend.name, 'route', args);
  }

  routed(...args: Parameters<Site['routed']>): ReturnType<Site['routed']> {
    return this.#supervisor.ofBackend(this.backend.name, 'routed', args);
  }

  keep(...args: Parameters<Site['keep']>): ReturnType<Site['keep']> {
    return this.#supervisor.ofBackend(this.backend.name, 'keep', args);
  }

  ask(environment: EnvironmentName, path: string): Promise<AppAnswer | undefined> {
    const url = new URL(path, this.#urls[environment]);
    return askGateway(url, url.host);
  }

  url(environment: EnvironmentName): string {
    return this.#urls[environment];
  }
}
