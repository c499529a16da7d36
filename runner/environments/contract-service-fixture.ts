import type { BackendService } from '../model/backend.ts';

/** The service of backends that tests deploy: a file `server.mjs` on a runtime image. */
export const contractService: BackendService = {
  name: 'api',
  start: 'node server.mjs',
  image: 'node-24',
  port: 3000,
  health: '/healthz',
  env: {},
  replicas: 1,
};
