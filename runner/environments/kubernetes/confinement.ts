import type { Json } from '../../model/json.ts';

/** What a pod and its container say of their rights. */
export interface Confinement {
  readonly pod: Readonly<Record<string, Json>>;
  readonly container: Readonly<Record<string, Json>>;
}

/** What every pod in the namespace of a backend says of its rights: the user of our images, as Pod Security `restricted` wants it. */
export const confinedPod = {
  runAsNonRoot: true,
  runAsUser: 1000,
  runAsGroup: 1000,
  fsGroup: 1000,
  seccompProfile: { type: 'RuntimeDefault' },
} as const;

/** The same for each of its containers. */
export const confinedContainer = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } as const;

export const restricted: Confinement = { pod: confinedPod, container: confinedContainer };

/**
 * What Buildah needs to build without root: newuidmap maps users by the right of its file, and user namespaces, which the default seccomp profile of runtimes forbids.
 * Pod Security `baseline` admits it. Measured: docs/images.md, "Containerfiles".
 */
export const building: Confinement = {
  pod: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000 },
  container: { allowPrivilegeEscalation: true, capabilities: { drop: ['ALL'], add: ['SETUID', 'SETGID'] } },
};
