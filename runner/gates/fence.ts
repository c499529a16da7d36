import { fenceRecord } from '../environments/release.ts';
import type { EnvironmentName } from '../environments/release.ts';
import type { Site } from '../environments/site.ts';
import { isConflict } from './records.ts';

const mostTries = 20;

/** Takes an environment: whoever took it before can move its traffic no longer. Answers a number that is greater than any before. */
export async function takeFence(site: Site, environment: EnvironmentName): Promise<number> {
  const name = fenceRecord(environment);
  for (let tries = 1; ; tries += 1) {
    const known = await site.read(name);
    const fence = ((known?.value as { readonly fence: number } | undefined)?.fence ?? 0) + 1;
    try {
      await site.write(name, { fence }, known?.version);
      return fence;
    } catch (error) {
      if (!isConflict(error) || tries >= mostTries) throw error;
    }
  }
}
