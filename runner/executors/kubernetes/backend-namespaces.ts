import type { ClusterClient } from '../../cluster/cluster-client.ts';
import type { Labels } from '../../cluster/objects.ts';
import type { OwnedBackend } from '../../model/backend.ts';
import type { RunStep } from '../../model/plan.ts';

/** What a step may do and finds in the namespace of its backend. */
export interface StepAccess {
  /** The service account whose token its command gets; none for scripts. */
  readonly account?: string;
  /** Of its pod, for network policies. */
  readonly labels: Labels;
  /** Variables whose values are in Secrets of the namespace. */
  readonly secretVariables: readonly { readonly name: string; readonly secret: string; readonly key: string }[];
  readonly variables: Readonly<Record<string, string>>;
  /** Claims of volumes in the namespace, and where its command finds them. */
  readonly volumes?: readonly { readonly claim: string; readonly path: string }[];
}

/** The namespaces of backends, as far as the steps that run in them are concerned. */
export interface BackendNamespaces {
  /** Whether Containerfiles are built beside them. */
  readonly builds: boolean;
  /** Brings one about, or finds it as it should be. Answers the passwords in it, which nobody is to see. ERR_CONFLICT when it is somebody else's. */
  ensure(cluster: ClusterClient, backend: OwnedBackend): Promise<readonly string[]>;
  access(backend: OwnedBackend, step: RunStep): StepAccess;
}
