import { createHash } from 'node:crypto';
import type { Evidence, Release } from '../environments/release.ts';
import type { Site } from '../environments/site.ts';
import { SluiceError } from '../model/errors.ts';
import type { Json } from '../model/json.ts';

const mostTries = 20;

/** The release that a run made; undefined before it did. */
export async function releaseOfRun(site: Site, run: string): Promise<Release | undefined> {
  const found = await site.read(runRecord(run));
  return found && (await releaseNamed(site, (found.value as { readonly release: string }).release));
}

export async function releaseNamed(site: Site, name: string): Promise<Release | undefined> {
  const found = await site.read(`release-${name}`);
  return found && (found.value as unknown as Release);
}

/** Puts a release on record under the next number. One that its run has made already is answered as it is. */
export async function recordRelease(site: Site, made: Omit<Release, 'name'>): Promise<Release> {
  const known = await releaseOfRun(site, made.run);
  if (known !== undefined) return known;
  const release = await takeNumber(site, made);
  await site.write(runRecord(made.run), { release: release.name }, undefined);
  return release;
}

/** Two runs may ask for the same number at once: the record of a number is made by one of them. */
async function takeNumber(site: Site, made: Omit<Release, 'name'>): Promise<Release> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const names = await site.list('release-r');
    const last = Math.max(0, ...names.map((name) => releaseNumber(name.slice('release-'.length))));
    const release: Release = { name: `r${last + 1}`, ...made };
    try {
      await site.write(`release-${release.name}`, release as unknown as Json, undefined);
      return release;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
  throw new SluiceError('ERR_CONFLICT', 'no number for the release could be had: others took each one first');
}

export function releaseNumber(name: string): number {
  return Number(/^r(\d+)$/.exec(name)?.[1] ?? 0);
}

export async function recordEvidence(site: Site, evidence: Evidence): Promise<void> {
  const name = evidenceRecord(evidence.release);
  const known = await site.read(name);
  await site.write(name, evidence as unknown as Json, known?.version);
}

export async function evidenceOf(site: Site, release: string): Promise<Evidence | undefined> {
  const found = await site.read(evidenceRecord(release));
  return found && (found.value as unknown as Evidence);
}

export function isConflict(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'ERR_CONFLICT';
}

function evidenceRecord(release: string): string {
  return `tests-${release}`;
}

/** Ids of people's choosing may hold what the name of a record may not. */
function runRecord(run: string): string {
  const fits = /^[a-z0-9][a-z0-9-]{0,60}[a-z0-9]$/.test(run);
  return `run-${fits ? run : createHash('sha256').update(run).digest('hex').slice(0, 32)}`;
}
