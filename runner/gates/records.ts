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

/** Puts a release on record under the next number. Where its run has made the same already, that is answered. */
export async function recordRelease(site: Site, made: Omit<Release, 'name'>): Promise<Release> {
  const known = await releaseOfRun(site, made.run);
  if (known !== undefined && imagesOf(known) === imagesOf(made)) return known;
  const release = await takeNumber(site, made);
  const name = runRecord(made.run);
  await site.write(name, { release: release.name }, (await site.read(name))?.version);
  return release;
}

function imagesOf({ services }: Pick<Release, 'services'>): string {
  return services.map(({ image }) => image).join(' ');
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

/** How a run migrated the testing database: production is migrated in the same way. */
export interface MigrationRecord {
  readonly script: string;
  /** The migration tool, where the pipeline file names it; else empty. */
  readonly tool?: string;
  /** Of the schema that came of it. */
  readonly fingerprint: string;
  readonly change: string;
  /** Tables that it changed and that were there before, `schema.table`. */
  readonly tables?: readonly string[];
  /** Strong locks that it takes in production, by a dry run: JSON. */
  readonly locks?: string;
}

export async function readMigration(site: Site, run: string): Promise<MigrationRecord | undefined> {
  const found = await site.read(`migration-${nameOfRun(run)}`);
  return found && (found.value as unknown as MigrationRecord);
}

export async function recordMigration(site: Site, run: string, migration: MigrationRecord): Promise<void> {
  const name = `migration-${nameOfRun(run)}`;
  const known = await site.read(name);
  await site.write(name, { ...migration }, known?.version);
}

export function isConflict(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'ERR_CONFLICT';
}

function evidenceRecord(release: string): string {
  return `tests-${release}`;
}

function runRecord(run: string): string {
  return `run-${nameOfRun(run)}`;
}

/** Ids of people's choosing may hold what the name of a record may not. */
function nameOfRun(run: string): string {
  const fits = /^[a-z0-9][a-z0-9-]{0,60}[a-z0-9]$/.test(run);
  return fits ? run : createHash('sha256').update(run).digest('hex').slice(0, 32);
}
