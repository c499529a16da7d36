import type { Backends, KnownBackend } from '../../environments/backends.ts';
import { groupOfRuns } from '../../model/backend.ts';
import type { PreviewName } from '../../model/backend.ts';
import { SluiceError } from '../../model/errors.ts';

/** Runs of a group as those that keep them tell of them, the newest first. */
export type RunsOf = (filter: {
  readonly group: string;
  readonly limit: number;
}) => Promise<readonly { readonly runId: string; readonly phase: string }[]>;

/** Of the runs of a preview one is under way, and few wait. */
const latestRuns = 100;

/** The run that is under way in a preview, or waits for it. */
export async function runInPreview(
  { backend, environment }: { readonly backend: string; readonly environment: PreviewName },
  runsOf: RunsOf,
): Promise<string | undefined> {
  const runs = await runsOf({ group: groupOfRuns(backend, environment), limit: latestRuns });
  return runs.find(({ phase }) => phase !== 'finished')?.runId;
}

/**
 * Removes a preview before its time, with its database, and waits until it is gone. Its next run makes it anew. ERR_NOT_FOUND for one that is not there,
 * ERR_CONFLICT while a run is under way in it.
 */
export async function deletePreview(
  backends: Pick<Backends, 'previews'>,
  { backend: { name } }: Pick<KnownBackend, 'backend'>,
  wanted: string,
  runsOf: RunsOf,
): Promise<void> {
  const previews = await backends.previews.list(name);
  const found = previews.find(({ environment }) => environment === wanted);
  if (found === undefined) {
    const names = previews.map(({ environment }) => environment).join(', ');
    throw new SluiceError('ERR_NOT_FOUND', `the backend "${name}" has no preview "${wanted}"`, {
      hint: names === '' ? 'It has none at all.' : `It has ${names}.`,
    });
  }
  const run = await runInPreview(found, runsOf);
  if (run !== undefined) throw inUse(wanted, `the run ${run} is under way`, `Cancel it first: sluice cancel ${run}`);
  if (!(await backends.previews.remove(found))) throw inUse(wanted, 'a run has begun', 'See: sluice runs');
}

function inUse(preview: string, why: string, hint: string): SluiceError {
  return new SluiceError('ERR_CONFLICT', `${preview} is not removed: ${why} in it`, { hint });
}
