import type { Draft, OtherObject, ResourceQuota } from '../../cluster/objects.ts';
import { managed } from './names.ts';

/** What all pods of a backend may take together: two pairs, two releases of each during a promotion, and steps beside them. */
export const quota: Draft<ResourceQuota> = {
  metadata: { name: 'backend', labels: managed },
  spec: {
    hard: {
      'requests.cpu': '8',
      'requests.memory': '16Gi',
      'limits.memory': '64Gi',
      pods: '100',
      persistentvolumeclaims: '10',
      'requests.storage': '100Gi',
      services: '200',
      'services.nodeports': '0',
      'services.loadbalancers': '0',
    },
  },
};

/** For containers that say nothing of what they need (R003-12). */
export const limitRange: Draft<OtherObject> = {
  metadata: { name: 'defaults', labels: managed },
  spec: {
    limits: [
      {
        type: 'Container',
        defaultRequest: { cpu: '10m', memory: '32Mi' },
        default: { memory: '1Gi' },
      },
    ],
  },
};
