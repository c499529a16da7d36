import { parseDuration } from '../model/duration.ts';
import { isDisplaced, messageOf, SluiceError } from '../model/errors.ts';
import type { Release } from '../environments/release.ts';
import { matchesPatterns } from '../language/match-pattern.ts';
import type { Site } from '../environments/site.ts';
import type { OperationName } from '../model/operations.ts';
import { awaitAnswers } from './await-answers.ts';
import { awaitHealth } from './await-health.ts';
import { healthPath, ownRelease } from './deploy-test.ts';
import { takeFence } from './fence.ts';
import type { Operation, OperationContext } from './operation.ts';
import { isUnderWay, readProduction, writeProduction } from './production.ts';
import type { Production, ProductionRecord, Promotion, PromotionState } from './production.ts';
import { evidenceOf, readMigration, releaseNamed, releaseNumber } from './records.ts';
import { measure, soak } from './soak.ts';

const switchMs = 60_000;
const returnMs = 60_000;
const inRow = 10;

/** From here on traffic may have been moved. */
const moving: ReadonlySet<PromotionState> = new Set(['switching', 'soaking', 'rolling-back']);

/** Lets only a release pass whose own tests passed, and that is newer than what is live. Settles what an earlier run left half done. */
export const checkRelease: Operation = async (context) => {
  const { site, run, commit, say } = context;
  const { preview } = site.backend;
  if (preview !== undefined) {
    throw new SluiceError('ERR_GATE', `nothing is promoted from ${preview.environment}`, {
      hint: 'Merge the branch: the run of the branch that it goes into makes, tests and promotes a release.',
    });
  }
  const release = await ownRelease(context);
  const evidence = await evidenceOf(site, release.name);
  if (evidence?.run !== run) {
    throw new SluiceError('ERR_GATE', `${release.name} has not passed its tests`, {
      hint: 'Put `run-tests` between `deploy-test` and `promote`.',
    });
  }
  const record = await settle(context, await readProduction(site));
  const { production } = record;
  if (production.promotion?.run === run) return { release: release.name };
  if (production.held.includes(commit)) {
    throw new SluiceError('ERR_GATE', `the commit ${commit.slice(0, 12)} was taken back from production before`, {
      hint: 'Push a commit that mends it.',
    });
  }
  const { live } = production;
  requireBranch(context, production);
  await requireWayBack(context, live);
  if (live !== undefined && releaseNumber(live) > releaseNumber(release.name)) {
    throw new SluiceError('ERR_GATE', `${live} is live, which is newer than ${release.name}`);
  }
  const from = live === undefined ? {} : { from: live };
  const promotion: Promotion = { run, release: release.name, commit, ...from, state: 'admitted', times: {} };
  await enter(context, record, promotion, 'admitted');
  say(`${release.name} may go to production${live === undefined ? '; it is the first' : `, in place of ${live}`}`);
  return { release: release.name };
};

/** The policy is that of the live release: a branch cannot change who lets it in. For the first release, and where the live one has none, it is its own. */
function requireBranch(
  { site, branch }: OperationContext,
  { branches = site.backend.promote?.branches, live }: Production,
): void {
  if (branches === undefined || (branch !== '' && matchesPatterns(branches, branch))) return;
  const what = branch === '' ? 'a commit that was not pushed to a branch' : `the branch ${branch}`;
  const whose = live === undefined ? 'the pipeline file' : `the pipeline file of ${live}, which is live,`;
  throw new SluiceError('ERR_GATE', `${what} may not go to production: ${whose} lets ${branches.join(', ')} pass`, {
    hint: 'Merge it into such a branch, or change `backend.promote.branches` there.',
  });
}

/** Without a proof that the live release works on the new schema there is nothing to go back to (delivery.md §4.1, "Database semantics"). */
async function requireWayBack({ site, run, input, say }: OperationContext, live: string | undefined): Promise<void> {
  const migration = await readMigration(site, run);
  if (live === undefined || migration === undefined) return;
  const evidence = await evidenceOf(site, live);
  if (evidence?.schemas.includes(migration.fingerprint) === true) return;
  if (input('way_back') === 'none') {
    say(`there will be no way back to ${live}: its tests did not pass on the new schema`);
    return;
  }
  throw new SluiceError(
    'ERR_GATE',
    `the tests of ${live}, which is live, did not pass on the new schema: there would be no way back`,
    {
      hint: 'Let `run-tests` run them, or accept that with `way_back: none`.',
    },
  );
}

/** Starts the release in production without traffic. */
export const prepareProduction: Operation = async (context) => {
  const { site, input } = context;
  const { record, promotion, release } = await ownPromotion(context);
  if (promotion.state !== 'admitted') return backupOf(record);
  let current = record;
  try {
    const { migrateProduction } = await import('./migrate.ts');
    const migrated = await migrateProduction(context, release, {
      known: promotion.backup,
      taken: async (backup) => {
        current = await write(context, current, { ...promotion, backup });
      },
    });
    if (migrated) current = await writeProduction(site, current, { ...current.production, migrated: release.name });
    await site.start('production', release);
    await awaitHealth(context, 'production', release, parseDuration(input('health_timeout')) ?? 0);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await enter(context, current, { ...promotionOf(current), because: messageOf(error) }, 'aborted');
    await tidy(site);
    throw error;
  }
  await enter(context, current, promotionOf(current), 'prepared');
  return backupOf(current);
};

/** Leads the address of production to the release, and back if it does not answer there. */
export const switchTraffic: Operation = async (context) => {
  const { site, say } = context;
  const { record, promotion, release } = await ownPromotion(context);
  if (promotion.state === 'admitted') throw tooEarly(release, 'prepare-production');
  if (promotion.state !== 'prepared' && promotion.state !== 'switching') return {};
  const from = promotion.from === undefined ? undefined : await releaseNamed(site, promotion.from);
  const baseline =
    promotion.state === 'prepared' && from !== undefined
      ? await measure(context, healthPath(from))
      : promotion.baseline;
  // Before the state is written: whoever takes the promotion over later has a greater fence, and one who was too late cannot write.
  const fence = await takeFence(site, 'production');
  const begun = await enter(context, record, { ...promotion, ...(baseline && { baseline }) }, 'switching');
  try {
    await site.route('production', release, fence);
    const path = healthPath(release);
    await awaitAnswers(context, 'production', { release: release.name, path, inRow, timeoutMs: switchMs });
  } catch (error) {
    leaveToNextAttempt(context);
    if (!isRefusal(error) && !context.signal.aborted) throw error;
    await rollBack(context, begun, { because: messageOf(error), isOwn: !context.signal.aborted });
    throw error;
  }
  await enter(context, begun, promotionOf(begun), 'soaking');
  say(`${site.url('production')} answers from ${release.name}`);
  return {};
};

/** Watches the release under traffic for the time of the soak. What does not hold is taken back. */
export const confirmRelease: Operation = async (context) => {
  const { site, input, clock, say } = context;
  const { record, promotion, release } = await ownPromotion(context);
  if (promotion.state === 'promoted') {
    await tidy(site);
    return { release: release.name };
  }
  if (promotion.state !== 'soaking') throw tooEarly(release, 'switch-traffic');
  const soakUntil = promotion.soakUntil ?? clock() + (parseDuration(input('soak')) ?? 0);
  const begun = await write(context, record, { ...promotion, soakUntil });
  const fault = await soak(context, release, { until: soakUntil, baseline: promotion.baseline });
  if (fault !== undefined) {
    leaveToNextAttempt(context);
    await rollBack(context, begun, { because: fault, isOwn: !context.signal.aborted });
    throw new SluiceError('ERR_GATE', `${release.name} did not hold in production: ${fault}`);
  }
  const { production } = begun;
  const { branches } = context.site.backend.promote ?? {};
  const done: Production = { ...production, live: release.name, ...previousOf(promotion), branches };
  await enter(context, { ...begun, production: done }, promotionOf(begun), 'promoted');
  await tidy(site);
  say(`${release.name} is live`);
  return { release: release.name };
};

/** What a way back works with, whoever asks for it. */
export type WayBack = Pick<OperationContext, 'site' | 'say' | 'clock' | 'signal'>;

/** Why a release is taken back. */
interface Fault {
  readonly because: string;
  /** The commit is to blame, and is not promoted again. */
  readonly isOwn: boolean;
}

/** Leads the address back to the release before, and asks that one again. What cannot be brought back does not keep the next release from its way. */
export async function rollBack(
  context: WayBack,
  record: ProductionRecord,
  { because, isOwn }: Fault,
): Promise<ProductionRecord> {
  const { site, say } = context;
  const promotion = { ...promotionOf(record), because };
  const { held } = record.production;
  const holding = isOwn ? [...new Set([...held, promotion.commit])] : held;
  const known = { ...record, production: { ...record.production, held: holding } };
  const from = promotion.from === undefined ? undefined : await releaseNamed(site, promotion.from);
  say(`${promotion.release} does not hold: ${because}`);
  if (from === undefined) {
    say('There is no release to go back to.');
    return enter(context, known, promotion, 'stuck');
  }
  const fence = await takeFence(site, 'production');
  const begun = await enter(context, known, promotion, 'rolling-back');
  const fault = await comeBack(context, from, fence);
  if (fault !== undefined) {
    say(`${from.name} does not come back: ${fault}`);
    const both = { ...promotionOf(begun), because: `${because}; ${from.name} does not come back: ${fault}` };
    return enter(context, begun, both, 'stuck');
  }
  say(`${site.url('production')} answers from ${from.name} again`);
  const ended = await enter(context, begun, promotionOf(begun), 'rolled-back');
  await tidy(site);
  return ended;
}

/** Answers why the release does not serve again; undefined when it does. */
async function comeBack(context: WayBack, from: Release, fence: number): Promise<string | undefined> {
  const { site } = context;
  // What ended the step must not end the way back.
  const resolute: WayBack = { ...context, signal: new AbortController().signal };
  await site.start('production', from);
  await site.route('production', from, fence);
  const wanted = { release: from.name, path: healthPath(from), inRow, timeoutMs: returnMs };
  try {
    await awaitAnswers(resolute, 'production', wanted);
    return undefined;
  } catch (error) {
    if (isRefusal(error)) return messageOf(error);
    throw error;
  }
}

/** A run whose process is gone for good left its promotion somewhere: where traffic may have moved, it is taken back first. */
async function settle(context: OperationContext, record: ProductionRecord): Promise<ProductionRecord> {
  const { promotion } = record.production;
  if (!isUnderWay(promotion) || promotion.run === context.run) return record;
  const because = promotion.because ?? `the run ${promotion.run} ended before it was promoted`;
  if (moving.has(promotion.state)) return rollBack(context, record, { because, isOwn: false });
  const aborted = await enter(context, record, { ...promotion, because }, 'aborted');
  await tidy(context.site);
  return aborted;
}

/**
 * Ends every release but the live one, the one behind it, and what the address leads to, which may be one that never held. Only while nothing is under way:
 * a promotion has releases of its own.
 */
async function tidy(site: Site): Promise<void> {
  const { live, previous, promotion } = (await readProduction(site)).production;
  if (isUnderWay(promotion)) return;
  const kept = [live, previous, await site.routed('production')].filter((name) => name !== undefined);
  await site.keep('production', [...new Set(kept)]);
}

interface Own {
  readonly record: ProductionRecord;
  readonly promotion: Promotion;
  readonly release: Release;
}

/** The promotion of this run. ERR_GATE when it was never admitted, or has been taken back already. */
async function ownPromotion(context: OperationContext): Promise<Own> {
  const release = await ownRelease(context);
  const record = await readProduction(context.site);
  const { promotion } = record.production;
  if (promotion?.run !== context.run) {
    throw new SluiceError('ERR_GATE', `${release.name} was not let pass to production`, {
      hint: 'The operation `check-release` comes first.',
    });
  }
  const because = promotion.because ?? promotion.state;
  if (promotion.state === 'rolling-back') await rollBack(context, record, { because, isOwn: false });
  else if (promotion.state === 'promoted' || isUnderWay(promotion)) return { record, promotion, release };
  else await tidy(context.site);
  throw new SluiceError('ERR_GATE', `${release.name} was taken back: ${because}`);
}

function enter(
  context: WayBack,
  record: ProductionRecord,
  promotion: Promotion,
  state: PromotionState,
): Promise<ProductionRecord> {
  const times = { ...promotion.times, [state]: new Date(context.clock()).toISOString() };
  return write(context, record, { ...promotion, state, times });
}

function write({ site }: WayBack, record: ProductionRecord, promotion: Promotion): Promise<ProductionRecord> {
  return writeProduction(site, record, { ...record.production, promotion });
}

function promotionOf({ production: { promotion } }: ProductionRecord): Promotion {
  if (promotion === undefined) throw new SluiceError('ERR_INTERNAL', 'there is no promotion on record');
  return promotion;
}

function backupOf(record: ProductionRecord): { readonly backup: string } {
  return { backup: promotionOf(record).backup?.name ?? '' };
}

function previousOf({ from }: Promotion): Pick<Production, 'previous'> {
  return from === undefined ? {} : { previous: from };
}

function tooEarly(release: Release, first: OperationName): SluiceError {
  return new SluiceError('ERR_GATE', `${release.name} is not that far on its way to production`, {
    hint: `The operation \`${first}\` comes first.`,
  });
}

/** A pod that is taken away says nothing of the release: what is on record is enough for another to go on. */
function leaveToNextAttempt({ signal }: OperationContext): void {
  if (isDisplaced(signal)) signal.throwIfAborted();
}

function isRefusal(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'ERR_GATE';
}
