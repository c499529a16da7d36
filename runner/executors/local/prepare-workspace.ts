import { SluiceError } from '../../model/errors.ts';
import { findLayerConflict } from '../../workspace/layer-conflict.ts';
import { unpackTar } from '../../workspace/unpack-tar.ts';
import type { AttemptSpec, BlobAccess } from '../executor.ts';
import { AttemptEnded } from './attempt-ended.ts';
import type { AttemptFolder } from './attempt-folder.ts';

/** Fills the workspace and the home folder of an attempt: the commit, what needed steps hand over, the caches found. */
export async function prepareWorkspace(
  spec: AttemptSpec,
  folder: AttemptFolder,
  blobs: BlobAccess,
  signal: AbortSignal,
): Promise<void> {
  try {
    await refuseConflicts(spec.layers.slice(1), blobs, signal);
    for (const { blob } of spec.layers) await unpackTar(await blobs.open(blob), folder.workspace, {}, signal);
    for (const { blob } of spec.caches) {
      if (blob === undefined) continue;
      await unpackTar(await blobs.open(blob), folder.workspace, { home: folder.home }, signal);
    }
  } catch (error) {
    if (error instanceof SluiceError) throw new AttemptEnded('workspace_failed', error.message);
    throw error;
  }
}

/** Handed-over files may replace the commit's, but never each other. */
async function refuseConflicts(
  handovers: AttemptSpec['layers'],
  blobs: BlobAccess,
  signal: AbortSignal,
): Promise<void> {
  if (handovers.length < 2) return;
  const layers = handovers.map(({ from, blob }) => ({ name: from, open: () => blobs.open(blob) }));
  const conflict = await findLayerConflict(layers, signal);
  if (conflict === undefined) return;
  const { path, first, second } = conflict;
  throw new AttemptEnded('output_conflict', `${first} and ${second} both hand over ${path}`);
}
