import type { OwnImages } from '../../model/own-images.ts';
import { prefixOfHost } from '../host-prefix.ts';
import type { EnvironmentName } from '../release.ts';

/** What is the same for all backends of an installation: where their namespaces are, how they are reached. Travels to operations as JSON. */
export interface BackendPlace {
  /** Domain below which each backend has its hosts. */
  readonly domain: string;
  readonly gateway: {
    /** The Gateway (gateway.networking.k8s.io) that routes attach to. */
    readonly name: string;
    readonly namespace: string;
    /** Where the pods of operations and steps reach it, without a path. */
    readonly url: string;
  };
  /** Host, and perhaps a path, that images of releases are pushed to and pulled from. */
  readonly registry: string;
  /** Registries that are spoken to in plain HTTP. */
  readonly plainHttp: readonly string[];
  readonly images: OwnImages;
  /** Where Secrets of the operator are; that of the connection where it is not said. */
  readonly namespace?: string;
  /** Pod Security level of the namespaces in which Containerfiles are built; without it none are. */
  readonly builds?: 'baseline';
}

/** The address of an environment: `tasks.apps.example`, for testing `test.tasks.apps.example`, and for a preview `preview-pr-12.tasks.apps.example`. */
export function hostOf(place: Pick<BackendPlace, 'domain'>, backend: string, environment: EnvironmentName): string {
  return `${prefixOfHost(environment)}${backend}.${place.domain}`;
}

/** Where steps find the app of an environment. */
export function urlOf(place: BackendPlace, backend: string, environment: EnvironmentName): string {
  const { protocol, port } = new URL(place.gateway.url);
  return `${protocol}//${hostOf(place, backend, environment)}${port === '' ? '' : `:${port}`}`;
}
