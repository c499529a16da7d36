import type { EnvironmentName } from '../environments/release.ts';
import type { Site, SiteRecord } from '../environments/site.ts';
import { isConflict } from './records.ts';

const mostTries = 20;

/** The number of who took an environment last: with it, nobody is kept from anything. */
export async function presentFence(site: Site, environment: EnvironmentName): Promise<number> {
  return fenceOf(await site.read(nameOf(environment)));
}

/** Takes an environment: whoever took it before can move its traffic no longer. Answers a number that is greater than any before. */
export async function takeFence(site: Site, environment: EnvironmentName): Promise<number> {
  const name = nameOf(environment);
  for (let tries = 1; ; tries += 1) {
    const known = await site.read(name);
    const fence = fenceOf(known) + 1;
    try {
      await site.write(name, { fence }, known?.version);
      return fence;
    } catch (error) {
      if (!isConflict(error) || tries >= mostTries) throw error;
    }
  }
}

function nameOf(environment: EnvironmentName): string {
  return `fence-${environment}`;
}

function fenceOf(known: SiteRecord | undefined): number {
  return (known?.value as { readonly fence: number } | undefined)?.fence ?? 0;
}
