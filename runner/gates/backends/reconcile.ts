import type { Backends, Drift, ExpectedRelease, KnownBackend } from '../../environments/backends.ts';
import type { EnvironmentName } from '../../environments/release.ts';
import type { Site } from '../../environments/site.ts';
import { presentFence } from '../fence.ts';
import { isOver, readProduction } from '../production.ts';
import { releaseNamed } from '../records.ts';

/** What of a backend is not as it should be, what the records say should run included. Nothing is changed. */
export async function driftOfBackend(backends: Backends, known: KnownBackend): Promise<readonly Drift[]> {
  return backends.drift(known, await expectedReleases(await backends.site(known.backend)));
}

/**
 * Puts right what drifted, and answers what that was. Traffic is moved by nobody's leave but that of who moved it last: a promotion that begins meanwhile is not kept
 * from anything.
 */
export async function reconcileBackend(backends: Backends, known: KnownBackend): Promise<readonly Drift[]> {
  const site = await backends.site(known.backend);
  const expected = await expectedReleases(site);
  const drift = await backends.drift(known, expected);
  await backends.ensure(known);
  for (const { environment, release, isRouted } of expected) {
    await site.start(environment, release);
    if (isRouted) await site.route(environment, release, await presentFence(site, environment));
  }
  return drift;
}

/**
 * By the records, what runs: in production the live release and the one behind it, in testing what its address leads to. While a promotion is under way the traffic
 * is its own.
 */
async function expectedReleases(site: Site): Promise<readonly ExpectedRelease[]> {
  const { live, previous, promotion } = (await readProduction(site)).production;
  const isSettled = promotion === undefined || isOver(promotion);
  const underWay = isSettled || promotion.state === 'admitted' ? undefined : promotion.release;
  const stuck = promotion?.state === 'stuck';
  const production = [live, previous, underWay].map((name) => ({
    environment: 'production' as const,
    name,
    isRouted: isSettled && !stuck && name === live,
  }));
  const tested = await site.routed('testing');
  const found = await Promise.all(
    [...production, { environment: 'testing' as const, name: tested, isRouted: true }].map((one) => expect(site, one)),
  );
  return found.flat();
}

async function expect(
  site: Site,
  wanted: { readonly environment: EnvironmentName; readonly name: string | undefined; readonly isRouted: boolean },
): Promise<readonly ExpectedRelease[]> {
  const { environment, name, isRouted } = wanted;
  const release = name === undefined ? undefined : await releaseNamed(site, name);
  return release === undefined ? [] : [{ environment, release, isRouted }];
}
