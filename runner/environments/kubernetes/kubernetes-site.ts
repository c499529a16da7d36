import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Draft, HttpRoute, KubernetesObject } from '../../cluster/objects.ts';
import { deployments, httpRoutes, services } from '../../cluster/resources.ts';
import type { Resource } from '../../cluster/resources.ts';
import type { Backend } from '../../model/backend.ts';
import { SluiceError } from '../../model/errors.ts';
import { askGateway } from '../ask-gateway.ts';
import type { EnvironmentName, Release } from '../release.ts';
import type { AppAnswer, ReleaseHealth, Site, SiteTask, TaskEnd } from '../site.ts';
import { fenceAnnotation, fieldManager, labels, serviceName } from './names.ts';
import { NamespaceRecords } from './namespace-records.ts';
import { hostOf, urlOf } from './place.ts';
import type { BackendPlace } from './place.ts';
import { releaseHealth } from './release-health.ts';
import { liveService, releaseDeployment, releaseService } from './release-objects.ts';
import { endTasks, runTask } from './run-task.ts';
import { portedServices, routeOf } from './route-objects.ts';
import type { PortedService } from './route-objects.ts';

/** The namespace of a backend. */
export class KubernetesSite implements Site {
  readonly backend: Backend;
  readonly #cluster: ClusterClient;
  readonly #place: BackendPlace;
  readonly #records: NamespaceRecords;

  constructor(cluster: ClusterClient, backend: Backend, place: BackendPlace) {
    this.#cluster = cluster;
    this.backend = backend;
    this.#place = place;
    this.#records = new NamespaceRecords(cluster, backend.name);
  }

  get #namespace(): string {
    return this.backend.name;
  }

  read(...args: Parameters<Site['read']>): ReturnType<Site['read']> {
    return this.#records.read(...args);
  }

  write(...args: Parameters<Site['write']>): ReturnType<Site['write']> {
    return this.#records.write(...args);
  }

  list(...args: Parameters<Site['list']>): ReturnType<Site['list']> {
    return this.#records.list(...args);
  }

  async start(environment: EnvironmentName, release: Release): Promise<void> {
    for (const service of release.services) {
      const part = { environment, release, service };
      await this.#apply(deployments, releaseDeployment(part, this.backend));
      const { port } = service;
      if (port !== undefined) await this.#apply(services, releaseService({ ...part, port }));
    }
  }

  health(environment: EnvironmentName, release: Release): Promise<ReleaseHealth> {
    return releaseHealth(this.#cluster, this.#namespace, environment, release);
  }

  task(environment: EnvironmentName, release: Release, task: SiteTask): Promise<TaskEnd> {
    const hasDatabase = this.backend.database !== undefined;
    return runTask(this.#cluster, this.#namespace, { environment, release, task, hasDatabase });
  }

  endTasks(group: string): Promise<void> {
    return endTasks(this.#cluster, this.#namespace, group);
  }

  /** What a release before this one had besides goes last: its host may be that of a service which has just got it. */
  async route(environment: EnvironmentName, release: Release, fence: number): Promise<void> {
    for (const route of await this.#routes(environment)) refuseLate(route, environment, fence);
    const ported = portedServices(release);
    for (const service of ported) {
      await this.#move(environment, release, service, fence);
      await this.#apply(services, liveService({ environment, release, service, port: service.port }));
    }
    await this.#removeWays(environment, ported, fence);
  }

  async #routes(environment: EnvironmentName): Promise<readonly HttpRoute[]> {
    const labelSelector = `${labels.environment}=${environment}`;
    return (await this.#cluster.list(httpRoutes, { namespace: this.#namespace, labelSelector })).items;
  }

  /** Ways to services that are not among these. Only a route as it was looked at is removed, as with `#move`. */
  async #removeWays(environment: EnvironmentName, ported: readonly PortedService[], fence: number): Promise<void> {
    const namespace = this.#namespace;
    const kept = new Set(ported.map(({ name }) => serviceName(environment, name)));
    for (const route of await this.#routes(environment)) {
      const { name, resourceVersion } = route.metadata;
      if (kept.has(name)) continue;
      refuseLate(route, environment, fence);
      await this.#cluster.delete(httpRoutes, { namespace, name }, { resourceVersion });
    }
    const labelSelector = `${labels.environment}=${environment},${labels.service},!${labels.release}`;
    const { items } = await this.#cluster.list(services, { namespace, labelSelector });
    for (const { metadata } of items.filter(({ metadata: { name } }) => !kept.has(name)))
      await this.#cluster.delete(services, { namespace, name: metadata.name });
  }

  /** Only the route as it was looked at is changed, so that nobody passes the fence between look and change. */
  async #move(environment: EnvironmentName, release: Release, service: PortedService, fence: number): Promise<void> {
    const described = { ...this.backend, services: release.services };
    const { metadata, spec } = routeOf(described, environment, release, service, this.#place);
    const at = { namespace: this.#namespace, name: metadata.name };
    const annotations = { [fenceAnnotation]: String(fence) };
    for (;;) {
      const found = await find(this.#cluster, httpRoutes, at);
      refuseLate(found, environment, fence);
      const version = found && { resourceVersion: found.metadata.resourceVersion };
      const body = { metadata: { ...metadata, annotations, ...version }, spec };
      try {
        if (found === undefined) await this.#cluster.create(httpRoutes, { namespace: this.#namespace }, body);
        else await this.#cluster.apply(httpRoutes, at, body, { fieldManager, force: true });
        return;
      } catch (error) {
        if (!failedWith(error, 'Conflict') && !failedWith(error, 'AlreadyExists')) throw error;
      }
    }
  }

  async routed(environment: EnvironmentName): Promise<string | undefined> {
    const host = hostOf(this.#place, this.backend.name, environment);
    const route = (await this.#routes(environment)).find(({ spec }) => spec.hostnames.includes(host));
    return route?.metadata.labels?.[labels.release];
  }

  async keep(environment: EnvironmentName, releases: readonly string[]): Promise<void> {
    const kept = releases.length === 0 ? '' : `,${labels.release} notin (${releases.join(',')})`;
    const labelSelector = `${labels.environment}=${environment},${labels.release}${kept}`;
    for (const resource of [deployments, services] as const) {
      const { items } = await this.#cluster.list<KubernetesObject>(resource, {
        namespace: this.#namespace,
        labelSelector,
      });
      for (const { metadata } of items) {
        await this.#cluster.delete(resource, { namespace: this.#namespace, name: metadata.name });
      }
    }
  }

  async ask(environment: EnvironmentName, path: string): Promise<AppAnswer | undefined> {
    const host = hostOf(this.#place, this.backend.name, environment);
    return askGateway(new URL(path, this.#place.gateway.url), host);
  }

  url(environment: EnvironmentName): string {
    return urlOf(this.#place, this.backend.name, environment);
  }

  async #apply<T extends KubernetesObject>(resource: Resource<T>, body: Draft<T>): Promise<void> {
    const at = { namespace: this.#namespace, name: body.metadata.name };
    await this.#cluster.apply(resource, at, body, { fieldManager, force: true });
  }
}

/** ERR_FENCED for a route that was moved with a greater fence: whoever holds this one has lost the environment. */
function refuseLate(route: HttpRoute | undefined, environment: EnvironmentName, fence: number): void {
  if (Number(route?.metadata.annotations?.[fenceAnnotation] ?? 0) <= fence) return;
  throw new SluiceError('ERR_FENCED', `somebody else has taken the ${environment} environment meanwhile`);
}
