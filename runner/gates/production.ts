import type { Json } from '../model/json.ts';
import { SluiceError } from '../model/errors.ts';
import type { Site } from '../environments/site.ts';
import { isConflict } from './records.ts';

/**
 * How far the move of a release to production is. Each state is on record before it is acted on, so that whoever comes after a killed process
 * knows what may have happened.
 *
 *     admitted → prepared → switching → soaking → promoted
 *        └──────────┴→ aborted     └───────┴→ rolling-back → rolled-back
 */
export type PromotionState =
  | 'admitted'
  | 'prepared'
  | 'switching'
  | 'soaking'
  | 'promoted'
  | 'aborted'
  | 'rolling-back'
  | 'rolled-back'
  /** There was no release to go back to, or that one did not come back. */
  | 'stuck';

export interface Promotion {
  readonly run: string;
  readonly release: string;
  readonly commit: string;
  /** The release that was live, and is gone back to. */
  readonly from?: string;
  readonly state: PromotionState;
  /** When the soak is over, ms since 1970: counted from its begin, whoever goes on with it. */
  readonly soakUntil?: number;
  /** Why it was taken back. */
  readonly because?: string;
  /** Median and 95th percentile of answers of the release before, ms. */
  readonly baseline?: Latency;
  /** Of the production database, before it was migrated. */
  readonly backup?: BackupFacts;
  /** When each state was entered, RFC 3339. */
  readonly times: Readonly<Partial<Record<PromotionState, string>>>;
}

const over: ReadonlySet<PromotionState> = new Set(['promoted', 'aborted', 'rolled-back', 'stuck']);

/** Nothing is under way any more. */
export function isOver({ state }: Pick<Promotion, 'state'>): boolean {
  return over.has(state);
}

/** Whether a promotion has still to come to its end. */
export function isUnderWay(promotion: Promotion | undefined): promotion is Promotion {
  return promotion !== undefined && !isOver(promotion);
}

export interface Latency {
  readonly p50: number;
  readonly p95: number;
}

/** The record `backups` has the rest. */
export interface BackupFacts {
  readonly name: string;
  readonly bytes: number;
  /** Of the file, in hex. */
  readonly sha256: string;
  /** RFC 3339. */
  readonly takenAt: string;
}

/** What is on record of the production environment. */
export interface Production {
  readonly live?: string;
  /** Kept running behind the live release. */
  readonly previous?: string;
  /** The release that migrated the database last: whether or not it holds, the schema stays as it left it. */
  readonly migrated?: string;
  readonly promotion?: Promotion;
  /** Commits that were taken back: they are not promoted again. */
  readonly held: readonly string[];
  /** Branches that may come next, as the file of the live release says; any may where it does not. */
  readonly branches?: readonly string[] | undefined;
}

export interface ProductionRecord {
  readonly production: Production;
  readonly version: string | undefined;
}

const name = 'production';

export async function readProduction(site: Site): Promise<ProductionRecord> {
  const found = await site.read(name);
  return { production: (found?.value as Production | undefined) ?? { held: [] }, version: found?.version };
}

/** ERR_FENCED when somebody else wrote it: the promotion is not ours any more. */
export async function writeProduction(
  site: Site,
  { version }: ProductionRecord,
  production: Production,
): Promise<ProductionRecord> {
  try {
    const written = await site.write(name, production as unknown as Json, version);
    return { production, version: written.version };
  } catch (error) {
    if (!isConflict(error)) throw error;
    throw new SluiceError('ERR_FENCED', 'somebody else has taken over the production environment', { cause: error });
  }
}
