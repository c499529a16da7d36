import type { Release } from '../../environments/release.ts';
import type { Site } from '../../environments/site.ts';
import { isOver, readProduction } from '../production.ts';
import type { Production, Promotion } from '../production.ts';
import { evidenceOf, releaseNamed, releaseNumber, releaseOfRun } from '../records.ts';

export const productionPlaces = [
  'live',
  'under-way',
  'held',
  'taken-back',
  'superseded',
  'untested',
  'not-promoted',
  'no-release',
] as const;

/** Where the commit of a run is on its way to production, and what stands in it. */
export interface ProductionAnswer {
  readonly place: (typeof productionPlaces)[number];
  /** One sentence for people. */
  readonly answer: string;
  /** What the run made of the commit. */
  readonly release?: string;
  readonly live?: string;
}

/** What is asked about. `obstacle` is what the run itself says of why it did not get further. */
export interface ProductionQuestion {
  readonly run: string;
  readonly commit: string;
  readonly obstacle: string;
}

/** Why a commit is in production, or is not, by the records of its backend. */
export async function explainProduction(site: Site, question: ProductionQuestion): Promise<ProductionAnswer> {
  const { run, commit, obstacle } = question;
  const [{ production }, release] = await Promise.all([readProduction(site), releaseOfRun(site, run)]);
  const live = production.live === undefined ? undefined : await releaseNamed(site, production.live);
  const facts = { ...(release && { release: release.name }), ...(live && { live: live.name }) };
  if (live?.commit === commit) return { ...facts, place: 'live', answer: `It is live as ${live.name}.` };
  const stand = promotionAnswer(production, commit);
  if (stand !== undefined) return { ...facts, ...stand };
  if (release === undefined) {
    return { ...facts, place: 'no-release', answer: `The run has made no release of it. ${obstacle}` };
  }
  return { ...facts, ...(await releaseAnswer(site, release, live, question)) };
}

type Stand = Pick<ProductionAnswer, 'place' | 'answer'>;

function promotionAnswer({ held, promotion }: Production, commit: string): Stand | undefined {
  const own = promotion?.commit === commit ? promotion : undefined;
  if (own !== undefined && !isOver(own)) {
    return { place: 'under-way', answer: `${own.release} is on its way: ${own.state}.` };
  }
  if (held.includes(commit)) {
    const why = own?.because === undefined ? '' : `: ${own.because}`;
    return { place: 'held', answer: `It was taken back from production${why}. Push a commit that mends it.` };
  }
  return own === undefined || own.state === 'promoted' ? undefined : { place: 'taken-back', answer: tookBack(own) };
}

function tookBack({ release, state, because }: Promotion): string {
  const ends =
    state === 'aborted' ? 'never got traffic' : state === 'stuck' ? 'could not be taken back' : 'was taken back';
  return `${release} ${ends}${because === undefined ? '' : `: ${because}`}.`;
}

async function releaseAnswer(
  site: Site,
  { name }: Release,
  live: Release | undefined,
  { run, obstacle }: ProductionQuestion,
): Promise<Stand> {
  if (live !== undefined && releaseNumber(live.name) > releaseNumber(name)) {
    return { place: 'superseded', answer: `${live.name} is live, which is newer than ${name}.` };
  }
  if ((await evidenceOf(site, name))?.run !== run) {
    return { place: 'untested', answer: `${name} has not passed its tests. ${obstacle}` };
  }
  return { place: 'not-promoted', answer: `${name} passed its tests, and nobody has promoted it. ${obstacle}` };
}
