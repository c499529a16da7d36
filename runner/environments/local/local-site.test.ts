import { contractService } from '../contract-service-fixture.ts';
import { siteContract } from '../site-contract.ts';
import { LocalSite } from './local-site.ts';
import { keepRelease } from './release-files.ts';
import { startSupervisor } from './supervisor-fixture.ts';

siteContract(async () => {
  const supervisor = await startSupervisor();
  const backend = { name: 'shop', services: [contractService] };
  const access = await supervisor.client.ensure({ backend, repository: 'git@example.test:shop.git' });
  return {
    site: new LocalSite({ backend, folder: supervisor.folder, access }),
    image: (folder) => keepRelease(supervisor.releases, folder, 'node-24', AbortSignal.timeout(10_000)),
    close: () => supervisor.remove(),
  };
});
