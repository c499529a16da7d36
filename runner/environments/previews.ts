import { setTimeout as sleep } from 'node:timers/promises';
import type { Preview, PreviewName } from '../model/backend.ts';
import { SluiceError } from '../model/errors.ts';
import type { Json } from '../model/json.ts';
import type { Site } from './site.ts';

/** A preview that is there, or on its way out. */
export interface StandingPreview extends Omit<Preview, 'max'> {
  /** When its last run began, ms since 1970. */
  readonly usedAt: number;
  /** It is being removed; whoever was at it may have died over that. */
  readonly leaving?: true;
}

export interface OwnedPreview extends StandingPreview {
  readonly backend: string;
  /** Name of the repository that the backend belongs to. */
  readonly repository: string;
}

/** Where previews are: the namespaces of a cluster, or this machine. */
export interface PreviewPlace {
  /**
   * Of one backend, or of all. A place where nothing runs is not woken for that. `unreadable` is told of a backend whose previews cannot be read, which keeps nobody
   * from those of others; without it that is an error.
   */
  list(backend?: string, unreadable?: (backend: string, error: unknown) => void): Promise<readonly OwnedPreview[]>;
  /**
   * Takes away everything that a preview consists of, its database too, unless a run has begun in it since the caller looked at it. Can be called
   * again at any time: the word of the preview goes last. Answers whether it is gone.
   */
  remove(preview: Pick<OwnedPreview, 'backend' | 'environment' | 'usedAt'>): Promise<boolean>;
}

export type Records = Pick<Site, 'read' | 'write'>;

/** The record of a backend that its previews are in. */
const previewsRecord = 'previews';

const mostTries = 50;
const pauseMs = 20;

export async function readPreviews(records: Records): Promise<readonly StandingPreview[]> {
  return (await readRecord(records)).previews;
}

/** Whether its time is over. */
export function isExpired({ usedAt, ttlMs }: StandingPreview, now: number): boolean {
  return usedAt + ttlMs <= now;
}

/**
 * Puts on record that a run begins in a preview, before anything is made for it. Others that have outlived their time go first, and so does what is left of this
 * one when it was on its way out. ERR_CONFLICT when there are as many as the backend may have.
 */
export async function claimPreview(
  records: Records,
  backend: string,
  { max, ...preview }: Preview,
  now: number,
  remove: (preview: StandingPreview) => Promise<unknown>,
): Promise<void> {
  for (const standing of await readPreviews(records)) {
    const isOwn = standing.environment === preview.environment;
    if (isOwn ? standing.leaving === true : isExpired(standing, now)) await remove(standing);
  }
  await change(records, (previews) => {
    const others = previews.filter(({ environment }) => environment !== preview.environment);
    if (others.length >= max && others.length === previews.length) throw tooMany(backend, max, others);
    return [...others, { ...preview, usedAt: now }];
  });
}

/** Puts on record that a preview goes. Answers false when a run began in it after `usedAt`, or when it is gone already. */
export async function dismissPreview(
  records: Records,
  { environment, usedAt }: Pick<StandingPreview, 'environment' | 'usedAt'>,
): Promise<boolean> {
  let found = false;
  await change(records, (previews) => {
    found = previews.some((one) => one.environment === environment && one.usedAt === usedAt);
    if (!found) return previews;
    return previews.map((one) => (one.environment === environment ? { ...one, leaving: true as const } : one));
  });
  return found;
}

/** The last trace of a preview that was dismissed. */
export async function forgetPreview(records: Records, name: PreviewName): Promise<void> {
  await change(records, (previews) =>
    previews.filter(({ environment, leaving }) => environment !== name || leaving !== true),
  );
}

function tooMany(backend: string, max: number, others: readonly StandingPreview[]): SluiceError {
  const names = others.map(({ branch, pullRequest }) => (pullRequest === undefined ? branch : `#${pullRequest}`));
  const hint = 'Close a pull request, delete a branch, or raise `backend.previews.max`.';
  const fact = `the backend "${backend}" has as many previews as it may have, ${max}: those of ${names.join(', ')}`;
  return new SluiceError('ERR_CONFLICT', fact, { hint });
}

interface PreviewsRecord {
  readonly previews: readonly StandingPreview[];
  readonly version: string | undefined;
}

async function readRecord(records: Records): Promise<PreviewsRecord> {
  const found = await records.read(previewsRecord);
  const value = found?.value as { readonly previews: readonly StandingPreview[] } | undefined;
  return { previews: value?.previews ?? [], version: found?.version };
}

/** Runs of several previews begin at once: each changes the record as the other left it. */
async function change(
  records: Records,
  next: (previews: readonly StandingPreview[]) => readonly StandingPreview[],
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { previews, version } = await readRecord(records);
    const changed = next(previews);
    if (changed === previews) return;
    try {
      await records.write(previewsRecord, { previews: changed } as unknown as Json, version);
      return;
    } catch (error) {
      const isLate = error instanceof SluiceError && error.code === 'ERR_CONFLICT';
      if (!isLate || tries >= mostTries) throw error;
      await sleep(pauseMs);
    }
  }
}
