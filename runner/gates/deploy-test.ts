import { parseDuration } from '../model/duration.ts';
import { SluiceError } from '../model/errors.ts';
import type { Release } from '../environments/release.ts';
import { awaitAnswers } from './await-answers.ts';
import { awaitHealth } from './await-health.ts';
import { takeFence } from './fence.ts';
import { trialOf } from '../model/backend.ts';
import type { BackendService } from '../model/backend.ts';
import type { Operation, OperationContext } from './operation.ts';
import { recordRelease, releaseOfRun } from './records.ts';

const routeMs = 60_000;
const inRow = 3;

/** Makes the images of this commit and puts them on record as a release. */
export const buildRelease: Operation = async (context) => {
  const { site, run, commit, branch, actor, say, build, clock } = context;
  const services = [];
  for (const service of site.backend.services)
    services.push({ ...service, image: await build(service).catch(refuseMissing(service)) });
  const createdAt = new Date(clock()).toISOString();
  const release = await recordRelease(site, { run, commit, branch, actor, createdAt, services });
  say(`${release.name} is ${services.map(({ name, image }) => `${name} ${image}`).join(', ')}`);
  return outputsOf(release);
};

/** An image that its registry does not have is a mistake of the pipeline; anything else may pass. */
function refuseMissing({ name }: BackendService): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof SluiceError) || error.code !== 'ERR_NOT_FOUND') throw error;
    throw new SluiceError('ERR_GATE', `the image of the service "${name}": ${error.message}`, {
      cause: error,
      hint: 'Name one that is there: `services: { NAME: { image: … } }`, or `runtime`.',
    });
  };
}

/** Runs the release of this run as the testing app, or that of its preview, alone there, and proves that its address leads to it. */
export const deployTesting: Operation = async (context) => {
  const { site, input } = context;
  const release = await ownRelease(context);
  const environment = trialOf(site.backend);
  const fence = await takeFence(site, environment);
  await site.start(environment, release);
  await awaitHealth(context, environment, release, parseDuration(input('health_timeout')) ?? 0);
  await site.route(environment, release, fence);
  await awaitAnswers(context, environment, {
    release: release.name,
    path: healthPath(release),
    inRow,
    timeoutMs: routeMs,
  });
  // Whatever answers from now on can be no other release.
  await site.keep(environment, [release.name]);
  const url = site.url(environment);
  context.say(`${url} answers from ${release.name}`);
  return { url };
};

export async function ownRelease({ site, run }: OperationContext): Promise<Release> {
  const release = await releaseOfRun(site, run);
  if (release !== undefined) return release;
  throw new SluiceError('ERR_GATE', 'this run has made no release', {
    hint: 'Put `deploy-test: { uses: deploy-test }` among the steps that this one needs.',
  });
}

/** Where a release says that it is well; the root of a backend whose first service names no path. */
export function healthPath({ services }: Release): string {
  return services.find(({ port }) => port !== undefined)?.health ?? '/';
}

function outputsOf({ name, services }: Release): Readonly<Record<string, string>> {
  return { release: name, image: services[0]?.image ?? '' };
}
