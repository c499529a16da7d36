import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import type { Environment } from './config/environment.ts';
import type { DatabaseUrls } from './environments/database-roles.ts';
import type { KubernetesSiteDescription } from './environments/kubernetes/step-access.ts';
import type { LocalSiteDescription } from './environments/local/supervisor-calls.ts';
import { databaseVariables, originVariable, siteVariable } from './environments/operation-variables.ts';
import type { OperationContext } from './gates/operation.ts';
import { loadOperation } from './gates/operations.ts';
import { systemClock } from './model/clock.ts';
import { messageOf, SluiceError } from './model/errors.ts';
import { becauseValue, endingVariable, inputVariable } from './model/operations.ts';
import type { OperationName } from './model/operations.ts';
import { needed } from './operation-place.ts';
import type { OperationPlace, OperationSurroundings } from './operation-place.ts';

type Variables = Environment['variables'];

/**
 * Carries out one operation of a gate in the place that its step was given, and hands its values on to later steps. Ends in good order on SIGTERM: what has
 * been begun is on record, or taken back.
 */
export async function operate(
  name: OperationName,
  { variables }: Environment,
  version: string,
  say: (line: string) => void,
): Promise<void> {
  const description = readSite(variables);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(endingOf(variables[endingVariable]));
  process.once('SIGTERM', stop);
  const place = await openPlace(description, { variables, version, say, signal: stopping.signal });
  try {
    const operation = await loadOperation(name);
    const outputs = await operation({
      site: place.site,
      run: needed(variables, 'SLUICE_RUN'),
      attempt: Number(variables['SLUICE_ATTEMPT'] ?? 1),
      workspace: process.cwd(),
      commit: needed(variables, 'SLUICE_COMMIT'),
      branch: variables['SLUICE_BRANCH'] ?? '',
      actor: variables['SLUICE_ACTOR'] ?? '',
      input: (input) => variables[inputVariable(input)] ?? '',
      build: place.build,
      programs: place.programs,
      backups: place.backups,
      database: databaseOf(variables),
      ...originOf(variables),
      say,
      clock: systemClock,
      signal: stopping.signal,
    });
    await handOn(outputs, variables['SLUICE_OUTPUT']);
  } catch (error) {
    // What a file or a server says may have bytes that no value has.
    await handOn({ [becauseValue]: messageOf(error).replaceAll('\0', '\uFFFD') }, variables['SLUICE_OUTPUT']);
    throw error;
  } finally {
    process.removeListener('SIGTERM', stop);
    await place.close();
  }
}

/** Whoever stops a step wants no more of it; whoever takes its pod away knows nothing of it. Without a file, nobody but the runner ends steps. */
function endingOf(file: string | undefined): SluiceError {
  const isDisplaced = file !== undefined && readFileSync(file, 'utf8') === 'cluster';
  return isDisplaced
    ? new SluiceError('ERR_DISPLACED', 'the pod of the step was ended from outside')
    : new SluiceError('ERR_ABORTED', 'the step was stopped');
}

type SiteDescription = KubernetesSiteDescription | LocalSiteDescription;

function readSite(variables: Variables): SiteDescription {
  const text = variables[siteVariable];
  if (text !== undefined) return JSON.parse(text) as SiteDescription;
  throw new SluiceError('ERR_USAGE', 'operations are the commands of steps, and this is none', {
    hint: 'Use a gate in a pipeline: `deploy-test: { uses: deploy-test }`.',
  });
}

/** Loaded when it is needed: what speaks to clusters takes a while. */
async function openPlace(site: SiteDescription, surroundings: OperationSurroundings): Promise<OperationPlace> {
  if (site.kind === 'local') return (await import('./open-local-place.ts')).openLocalPlace(site, surroundings);
  return (await import('./open-kubernetes-place.ts')).openKubernetesPlace(site, surroundings);
}

function databaseOf(variables: Variables): DatabaseUrls | undefined {
  const [admin, migrator, app] = (['admin', 'migrator', 'app'] as const).map(
    (role) => variables[databaseVariables[role]],
  );
  return admin === undefined || migrator === undefined || app === undefined ? undefined : { admin, migrator, app };
}

function originOf({ [originVariable]: origin }: Variables): Pick<OperationContext, 'origin'> {
  return origin === undefined ? {} : { origin };
}

/** As a step hands on values: lines of a file. */
async function handOn(outputs: Readonly<Record<string, string>>, file: string | undefined): Promise<void> {
  const end = `end-${randomUUID()}`;
  const lines = Object.entries(outputs).map(([name, value]) =>
    value.includes('\n') ? `${name}<<${end}\n${value}\n${end}\n` : `${name}=${value}\n`,
  );
  if (file !== undefined) await appendFile(file, lines.join(''));
}
