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
