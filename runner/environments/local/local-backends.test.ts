import { backendsContract } from '../backends-contract.ts';
import { startLocalBackends } from './local-backends-fixture.ts';

backendsContract(async () => {
  const place = await startLocalBackends();
  return { backends: place.backends, prefix: 'c-', close: () => place.close() };
});
