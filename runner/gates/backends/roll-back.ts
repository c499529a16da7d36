import { SluiceError } from '../../model/errors.ts';
import type { Release } from '../../environments/release.ts';
import type { Site } from '../../environments/site.ts';
import { awaitHealth } from '../await-health.ts';
import { healthPath } from '../deploy-test.ts';
import { isOver, readProduction } from '../production.ts';
import type { Production, Promotion } from '../production.ts';
import { rollBack } from '../promote.ts';
import type { WayBack } from '../promote.ts';
import { evidenceOf, readMigration, releaseNamed } from '../records.ts';

const healthMs = 120_000;

export interface RollBackOptions {
  /** Who asks for it. */
  readonly by: string;
  readonly reason: string;
}

/**
 * Takes the live release back, as if its promotion had not held: production answers from the one before, and the commit is held. ERR_GATE where nothing
 * can be gone back to: no release before, one whose tests did not pass on the present schema, one that does not start, an address that nobody answers at.
 * ERR_CONFLICT while a promotion is under way.
 */
export async function rollBackProduction(context: WayBack, { by, reason }: RollBackOptions): Promise<Production> {
  const { site } = context;
  const record = await readProduction(site);
  const { live, previous, promotion, ...rest } = record.production;
  if (promotion !== undefined && !isOver(promotion)) {
    throw new SluiceError('ERR_CONFLICT', `the promotion of ${promotion.release} is under way (${promotion.state})`, {
      hint: `Wait for the run ${promotion.run}, or cancel it: then it goes back by itself.`,
    });
  }
  const current = live === undefined ? undefined : await releaseNamed(site, live);
  const before = previous === undefined ? undefined : await releaseNamed(site, previous);
  if (current === undefined || before === undefined) throw nothingBefore(live);
  await requirePresentSchema(site, before, record.production);
  if ((await site.ask('production', healthPath(current))) === undefined) throw nobodyAnswers(site);
  await site.start('production', before);
  await awaitHealth(context, 'production', before, healthMs);
  // One write, by `rollBack`, makes this the record: whoever finds it after a crash goes on with the way back.
  const taken: Promotion = {
    run: current.run,
    release: current.name,
    commit: current.commit,
    from: before.name,
    state: 'soaking',
    times: promotion?.release === current.name ? promotion.times : {},
  };
  const reopened = { ...record, production: { ...rest, live: before.name, promotion: taken } };
  const because = `${by} asked for it${reason === '' ? '' : `: ${reason}`}`;
  return (await rollBack(context, reopened, { because, isOwn: true })).production;
}

/** The schema stays as it is: code goes back to a release only that is proved to work with it. */
async function requirePresentSchema(site: Site, before: Release, { migrated }: Production): Promise<void> {
  const last = migrated === undefined ? undefined : await releaseNamed(site, migrated);
  const migration = last && (await readMigration(site, last.run));
  if (migration === undefined) return;
  const evidence = await evidenceOf(site, before.name);
  if (evidence?.schemas.includes(migration.fingerprint) === true) return;
  throw new SluiceError(
    'ERR_GATE',
    `the tests of ${before.name} did not pass on the present schema, which ${last?.name ?? 'a release'} made`,
    { hint: 'Push a commit that mends what is wrong: data and schema never go back.' },
  );
}

function nothingBefore(live: string | undefined): SluiceError {
  const message = live === undefined ? 'no release is live' : `there is no release behind ${live} to go back to`;
  return new SluiceError('ERR_GATE', message, { hint: 'Push a commit that mends what is wrong.' });
}

/** Without an answer, of whatever kind, nothing could be proved, and a good release would count as stuck. */
function nobodyAnswers(site: Site): SluiceError {
  return new SluiceError('ERR_GATE', `nothing answers at ${site.url('production')}, not even the gateway`, {
    hint: 'Let this machine reach the address in SLUICE_GATEWAY_URL, or ask a server that does.',
  });
}
