import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Gitea } from '../gitea/test-gitea.ts';
import type { GiteaRepository, GiteaStatus } from '../gitea/test-gitea.ts';
import type { Hook, Place } from './served.ts';

interface GiteaPlace {
  readonly gitea: Gitea;
  readonly repository: GiteaRepository;
}

/** Starts a server that knows a new repository of the Gitea under a name; a push there calls the server's hook. */
export async function serveGitea(place: Place, name: string): Promise<GiteaPlace> {
  const gitea = new Gitea();
  const repository = await gitea.newRepository();
  const [secretFile, tokenFile] = [join(place.folder, 'secret'), join(place.folder, 'token')];
  const secret = randomBytes(12).toString('hex');
  await writeFile(secretFile, secret);
  await writeFile(tokenFile, await gitea.newToken());
  const { hook } = (await place.sluice(
    ...['repository', 'add', name, '--forge', 'gitea', '--url', repository.clone_url],
    ...['--secret-file', secretFile, '--token-file', tokenFile],
  )) as Hook;
  await place.serve();
  await gitea.addHook(repository, `${place.url}${hook}`, secret);
  return { gitea, repository };
}

/** Waits until a commit has one of the wanted states, and answers the status that says so. */
export async function untilStatus(
  { gitea, repository }: GiteaPlace,
  commit: string,
  wanted: readonly string[],
): Promise<GiteaStatus> {
  for (;;) {
    const statuses = await gitea.statuses(repository, commit);
    const found = statuses.find(({ status }) => wanted.includes(status));
    if (found) return found;
    await sleep(200);
  }
}
