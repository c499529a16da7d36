import type { ClusterClient } from '../../cluster/cluster-client.ts';
import { failedWith } from '../../cluster/cluster-error.ts';
import { find } from '../../cluster/find.ts';
import type { Namespace } from '../../cluster/objects.ts';
import { deployments, namespaces, secrets, statefulSets } from '../../cluster/resources.ts';
import { isPreview } from '../../model/backend.ts';
import type { Backend, OwnedBackend } from '../../model/backend.ts';
import { SluiceError } from '../../model/errors.ts';
import type { Json } from '../../model/json.ts';
import { isDue, noBackend, refuseProtected, removeDue } from '../backends.ts';
import type { Backends, Drift, ExpectedRelease, KnownBackend, RunningEnvironment, Swept } from '../backends.ts';
import type { PreviewPlace } from '../previews.ts';
import type { EnvironmentName } from '../release.ts';
import type { Site } from '../site.ts';
import { backendOf, namespaceOf } from './backend-namespace.ts';
import { confiningObjects, databaseObjects, environments, releaseObjects } from './backend-objects.ts';
import { clusterPreviews } from './cluster-previews.ts';
import { credentialsOf } from './database-objects.ts';
import { ensureBackend } from './ensure-backend.ts';
import { externalServers } from './external-servers.ts';
import { findDrift } from './find-drift.ts';
import { KubernetesSite } from './kubernetes-site.ts';
import { databaseName, deletionAnnotation, labels, protectionAnnotation } from './names.ts';
import type { BackendPlace } from './place.ts';

const mostTries = 10;

/** The namespaces that Sluice made for backends in one cluster. What is known of each is on its namespace, so that it needs no store. */
export class KubernetesBackends implements Backends {
  readonly previews: PreviewPlace;
  readonly #cluster: ClusterClient;
  readonly #place: BackendPlace;

  constructor(cluster: ClusterClient, place: BackendPlace) {
    this.#cluster = cluster;
    this.#place = place;
    this.previews = clusterPreviews(cluster, place);
  }

  async ensure(owned: OwnedBackend, isProtected?: boolean): Promise<KnownBackend> {
    const { namespace } = await ensureBackend(this.#cluster, owned, this.#place, isProtected);
    return mustBe(owned.backend.name, namespace);
  }

  async list(): Promise<readonly KnownBackend[]> {
    const { items } = await this.#cluster.list(namespaces, { labelSelector: `${labels.managedBy}=sluice` });
    const found = items.map(backendOf).filter((backend) => backend !== undefined);
    return found.toSorted((a, b) => (a.backend.name < b.backend.name ? -1 : 1));
  }

  async find(name: string): Promise<KnownBackend | undefined> {
    const found = await find(this.#cluster, namespaces, { name });
    return found && backendOf(found);
  }

  protect(name: string, isProtected: boolean): Promise<KnownBackend> {
    const protection = isProtected ? { [protectionAnnotation]: null, [deletionAnnotation]: null } : undefined;
    return this.#mark(name, () => protection ?? { [protectionAnnotation]: 'false' });
  }

  markForDeletion(name: string, at: number): Promise<KnownBackend> {
    return this.#mark(name, (backend) => {
      refuseProtected(backend);
      return { [deletionAnnotation]: new Date(at).toISOString() };
    });
  }

  remove(name: string): Promise<void> {
    return this.#remove(name, refuseProtected);
  }

  async sweep(now: number): Promise<readonly Swept[]> {
    return removeDue(now, await this.list(), (name) => this.#remove(name, (backend) => refuseUnlessDue(backend, now)));
  }

  async environments({ backend }: KnownBackend): Promise<readonly RunningEnvironment[]> {
    const previews = await this.previews.list(backend.name);
    return Promise.all([
      ...environments.map((environment) => this.#running(backend, environment)),
      ...previews.map(async (preview) => ({ ...(await this.#running(backend, preview.environment)), preview })),
    ]);
  }

  async drift({ backend, repository }: KnownBackend, expected: readonly ExpectedRelease[]): Promise<readonly Drift[]> {
    const { name } = backend;
    const place = this.#place;
    const servers = await externalServers(this.#cluster, place, backend);
    const desired = [
      { resource: namespaces, body: namespaceOf({ backend, repository }) },
      ...confiningObjects(name, place),
      ...databaseObjects(backend, place, servers),
      ...expected.flatMap((release) => releaseObjects(release, backend, place)),
    ];
    const [changed, missing] = await Promise.all([
      findDrift(this.#cluster, name, desired),
      this.#missingCredentials(backend),
    ]);
    return [...changed, ...missing];
  }

  site(backend: Backend): Promise<Site> {
    return Promise.resolve(new KubernetesSite(this.#cluster, backend, this.#place));
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  #remove(name: string, refuse: (backend: KnownBackend) => void): Promise<void> {
    return this.#asSeen(name, async (backend, { uid, resourceVersion }) => {
      refuse(backend);
      await this.#cluster.delete(namespaces, { name }, { propagation: 'Foreground', uid, resourceVersion });
    });
  }

  #mark(
    name: string,
    annotationsFor: (backend: KnownBackend) => Readonly<Record<string, Json>>,
  ): Promise<KnownBackend> {
    return this.#asSeen(name, async (backend, { resourceVersion }) => {
      const patch = { metadata: { resourceVersion, annotations: annotationsFor(backend) } };
      return mustBe(name, await this.#cluster.patch(namespaces, { name }, patch));
    });
  }

  /** Acts on the namespace as it was looked at, and looks again where somebody changed it: a protection that comes in between is heeded. */
  async #asSeen<Value>(
    name: string,
    act: (backend: KnownBackend, seen: Namespace['metadata']) => Promise<Value>,
  ): Promise<Value> {
    for (let tries = 1; ; tries += 1) {
      const namespace = await find(this.#cluster, namespaces, { name });
      if (namespace === undefined) throw noBackend(name);
      try {
        return await act(mustBe(name, namespace), namespace.metadata);
      } catch (error) {
        if (!failedWith(error, 'Conflict') || tries >= mostTries) throw error;
      }
    }
  }

  async #running(backend: Backend, environment: EnvironmentName): Promise<RunningEnvironment> {
    const { name: namespace } = backend;
    const site = new KubernetesSite(this.#cluster, backend, this.#place);
    const labelSelector = `${labels.environment}=${environment},${labels.release}`;
    const [routed, { items }, database] = await Promise.all([
      site.routed(environment),
      this.#cluster.list(deployments, { namespace, labelSelector }),
      this.#database(backend, environment),
    ]);
    const releases = new Set(items.flatMap(({ metadata }) => metadata.labels?.[labels.release] ?? []));
    return {
      environment,
      url: site.url(environment),
      ...(routed !== undefined && { routed }),
      releases: [...releases].toSorted(),
      ...(database && { database }),
    };
  }

  async #database(backend: Backend, environment: EnvironmentName): Promise<RunningEnvironment['database']> {
    if (backend.database === undefined) return undefined;
    if ((await externalServers(this.#cluster, this.#place, backend)) !== undefined) return 'outside';
    const server = isPreview(environment) ? 'testing' : environment;
    const at = { namespace: backend.name, name: databaseName(server) };
    const set = await find(this.#cluster, statefulSets, at);
    if (set === undefined) return 'missing';
    const { readyReplicas = 0 } = (set['status'] ?? {}) as { readonly readyReplicas?: number };
    return readyReplicas > 0 ? 'ready' : 'starting';
  }

  /** Passwords are made once, and what else is in their Secrets is nobody's to see: only their absence is drift. */
  async #missingCredentials({ name: namespace, database }: Backend): Promise<readonly Drift[]> {
    if (database === undefined) return [];
    const wanted = environments.flatMap((environment) => credentialsOf({ backend: namespace, environment }));
    const looks = await Promise.all(
      wanted.map(async ({ name }) =>
        (await find(this.#cluster, secrets, { namespace, name })) === undefined ? [`Secret/${name}`] : [],
      ),
    );
    return looks.flat().map((object) => ({ object, kind: 'missing' }));
  }
}

/** ERR_NOT_FOUND for a namespace that is none of a backend: what others made is left alone, and not spoken of. */
function mustBe(name: string, namespace: Namespace): KnownBackend {
  const backend = backendOf(namespace);
  if (backend === undefined) throw noBackend(name);
  return backend;
}

/** Somebody called it off since it was listed. */
function refuseUnlessDue(backend: KnownBackend, now: number): void {
  refuseProtected(backend);
  if (isDue(backend, now)) return;
  throw new SluiceError('ERR_CONFLICT', `the backend "${backend.backend.name}" is not to be deleted any more`);
}
