import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { ConfigMap, Draft, KubernetesObject } from '../../cluster/objects.ts';
import { configMaps, deployments, httpRoutes, services } from '../../cluster/resources.ts';
import type { Resource } from '../../cluster/resources.ts';
import type { Backend } from '../../model/backend.ts';
import { SluiceError } from '../../model/errors.ts';
import type { Json } from '../../model/json.ts';
import { askGateway } from '../ask-gateway.ts';
import type { EnvironmentName, Release } from '../release.ts';
import type { AppAnswer, ReleaseHealth, Site, SiteRecord, SiteTask, TaskEnd } from '../site.ts';
import { fenceAnnotation, fieldManager, labels, managed, serviceName } from './names.ts';
import { hostOf, urlOf } from './place.ts';
import type { BackendPlace } from './place.ts';
import { releaseHealth } from './release-health.ts';
import { liveService, releaseDeployment, releaseService } from './release-objects.ts';
import { endTasks, runTask } from './run-task.ts';
import { portedServices, routeOf } from './route-objects.ts';
import type { PortedService } from './route-objects.ts';

const recordKey = 'record';

/** The namespace of a backend. Records are ConfigMaps there, and their versions those of the objects. */
export class KubernetesSite implements Site {
  readonly backend: Backend;
  readonly #cluster: ClusterClient;
  readonly #place: BackendPlace;

  constructor(cluster: ClusterClient, backend: Backend, place: BackendPlace) {
    this.#cluster = cluster;
    this.backend = backend;
    this.#place = place;
  }

  get #namespace(): string {
    return this.backend.name;
  }

  async read(name: string): Promise<SiteRecord | undefined> {
    const found = await find(this.#cluster, configMaps, { namespace: this.#namespace, name });
    return found && recordOf(found);
  }

  async write(name: string, value: Json, version: string | undefined): Promise<SiteRecord> {
    const namespace = this.#namespace;
    const data = { [recordKey]: JSON.stringify(value) };
    const metadata = { name, labels: { ...managed, [labels.record]: 'true' } };
    try {
      if (version === undefined)
        return recordOf(await this.#cluster.create(configMaps, { namespace }, { metadata, data }));
      const patch = { metadata: { resourceVersion: version }, data };
      return recordOf(await this.#cluster.patch(configMaps, { namespace, name }, patch));
    } catch (error) {
      if (!failedWith(error, 'AlreadyExists') && !failedWith(error, 'Conflict')) throw error;
      throw new SluiceError('ERR_CONFLICT', `somebody else wrote the record "${name}"`, { cause: error });
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    const selection = { namespace: this.#namespace, labelSelector: labels.record };
    const { items } = await this.#cluster.list(configMaps, selection);
    return items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(prefix));
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

  async route(environment: EnvironmentName, release: Release, fence: number): Promise<void> {
    for (const service of portedServices(release)) {
      await this.#move(environment, release, service, fence);
      await this.#apply(services, liveService({ environment, release, service, port: service.port }));
    }
  }

  /** Only the route as it was looked at is changed, so that nobody passes the fence between look and change. */
  async #move(environment: EnvironmentName, release: Release, service: PortedService, fence: number): Promise<void> {
    const described = { ...this.backend, services: release.services };
    const { metadata, spec } = routeOf(described, environment, release, service, this.#place);
    const at = { namespace: this.#namespace, name: metadata.name };
    const annotations = { [fenceAnnotation]: String(fence) };
    for (;;) {
      const found = await find(this.#cluster, httpRoutes, at);
      if (Number(found?.metadata.annotations?.[fenceAnnotation] ?? 0) > fence) {
        throw new SluiceError('ERR_FENCED', `somebody else has taken the ${environment} environment meanwhile`);
      }
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
    const [first] = portedServices(this.backend);
    if (first === undefined) return undefined;
    const at = { namespace: this.#namespace, name: serviceName(environment, first.name) };
    const route = await find(this.#cluster, httpRoutes, at);
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

function recordOf({ metadata, data = {} }: ConfigMap): SiteRecord {
  return { value: JSON.parse(data[recordKey] ?? 'null') as Json, version: metadata.resourceVersion };
}
