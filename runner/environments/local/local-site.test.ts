import type { Backend } from '../../model/backend.ts';
import { contractService } from '../contract-service-fixture.ts';
import { siteContract } from '../site-contract.ts';
import { localPreviews } from './local-backends.ts';
import { LocalSite } from './local-site.ts';
import { keepRelease } from './release-files.ts';
import { startSupervisor } from './supervisor-fixture.ts';

siteContract(async () => {
  const supervisor = await startSupervisor();
  const { client } = supervisor;
  const backend = { name: 'shop', services: [contractService] };
  const open = async (described: Backend): Promise<LocalSite> => {
    const access = await client.ensure({ backend: described, repository: 'git@example.test:shop.git' });
    return new LocalSite({ backend: described, folder: supervisor.folder, access });
  };
  return {
    site: await open(backend),
    preview: (preview) => open({ ...backend, preview }),
    previews: localPreviews(client),
    image: (folder) => keepRelease(supervisor.releases, folder, 'node-24', AbortSignal.timeout(10_000)),
    close: () => supervisor.remove(),
  };
});
