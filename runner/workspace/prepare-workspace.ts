import { randomUUID } from 'node:crypto';
import { lstatSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AttemptEnded } from '../model/attempt-ended.ts';
import { SluiceError } from '../model/errors.ts';
import type { BlobAccess } from './blob-access.ts';
import type { CommandFolders } from './find-in-folders.ts';
import { findLayerConflict } from './layer-conflict.ts';
import { isInside } from './read-inside.ts';
import { unpackTar } from './unpack-tar.ts';

/** What a command finds in its folders. */
export interface WorkspaceContent {
  /** Tar with the commit's files, and those that needed steps hand over, in that order. `from` is '' or the step. */
  readonly layers: readonly { readonly from: string; readonly blob: string }[];
  /** Caches of the step, each with the blob found for its key, if any. */
  readonly caches: readonly { readonly key: string; readonly paths: readonly string[]; readonly blob?: string }[];
}

/**
 * Fills the workspace and the home folder of an attempt: the commit, what needed steps hand over, the caches found. Answers, where `tellsCommit`, a
 * moment by the clock of the file system (ms): what last changed before it is as the commit has it. Else that is 0.
 */
export async function prepareWorkspace(
  content: WorkspaceContent,
  folders: Pick<CommandFolders, 'workspace' | 'home'>,
  blobs: BlobAccess,
  signal: AbortSignal,
  tellsCommit: boolean,
): Promise<number> {
  const commit = content.layers.find(({ from }) => from === '');
  const handovers = content.layers.filter((layer) => layer !== commit);
  try {
    await refuseConflicts(handovers, blobs, signal);
    if (commit !== undefined) await unpackTar(await blobs.open(commit.blob), folders.workspace, {}, signal);
    const moment = tellsCommit ? await nextMoment(folders.home) : 0;
    for (const { blob } of handovers) await unpackTar(await blobs.open(blob), folders.workspace, {}, signal);
    for (const { blob } of content.caches) {
      if (blob === undefined) continue;
      await unpackTar(await blobs.open(blob), folders.workspace, { home: folders.home }, signal);
    }
    return moment;
  } catch (error) {
    if (error instanceof SluiceError) throw new AttemptEnded('workspace_failed', error.message);
    throw error;
  }
}

/** File systems keep time in steps of some milliseconds: a moment that nothing has which was written before. */
async function nextMoment(folder: string): Promise<number> {
  const marker = join(folder, `.moment-${randomUUID()}`);
  const changedAt = (): number => {
    writeFileSync(marker, '.');
    return lstatSync(marker).ctimeMs;
  };
  try {
    const now = changedAt();
    for (;;) {
      await sleep(1);
      const later = changedAt();
      if (later > now) return later;
    }
  } finally {
    rmSync(marker, { force: true });
  }
}

/** Handed-over files may replace the commit's, but never each other. */
async function refuseConflicts(
  handovers: WorkspaceContent['layers'],
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

/** The folder of the workspace that a command starts in; AttemptEnded when there is none, or it lies elsewhere. */
export function workingFolder(workspace: string, workdir: string): string {
  const path = join(workspace, workdir);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new AttemptEnded('start_error', `the workspace has no folder "${workdir}" (workdir)`);
  }
  if (!isInside(realpathSync.native(workspace), realpathSync.native(path))) {
    throw new AttemptEnded('unsafe_path', `workdir "${workdir}" leaves the workspace`);
  }
  return path;
}
