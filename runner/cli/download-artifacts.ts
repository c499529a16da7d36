import { constants } from 'node:fs';
import { mkdir, open, realpath, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { messageOf, SluiceError } from '../model/errors.ts';
import type { RunArtifact } from '../results/report/run-artifacts.ts';
import type { Services } from './session.ts';

/** Writes each file to `folder/STEP/PATH` and answers the paths. Nothing is written outside the folder. */
export async function downloadArtifacts(
  artifacts: readonly RunArtifact[],
  folder: string,
  { blobs }: Pick<Services, 'blobs'>,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new SluiceError('ERR_USAGE', `The folder ${folder} cannot be made: ${messageOf(cause)}`, {
      hint: 'Name a new or an empty folder behind --download.',
      cause,
    });
  });
  const root = await realpath(folder);
  const paths: string[] = [];
  for (const artifact of artifacts) paths.push(await download(artifact, root, blobs));
  return paths;
}

async function download(
  { step, path, sha256, mode }: RunArtifact,
  root: string,
  blobs: Services['blobs'],
): Promise<string> {
  const target = join(root, ...safeParts(step), ...safeParts(path));
  await mkdir(dirname(target), { recursive: true });
  // A link that stood in the folder before could lead out of it.
  if (!`${await realpath(dirname(target))}${sep}`.startsWith(`${root}${sep}`)) throw unsafe(path);
  await rm(target, { force: true });
  const file = await open(target, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, mode & 0o777);
  try {
    await pipeline(await blobs.open(sha256), file.createWriteStream());
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  } finally {
    await file.close().catch(() => undefined);
  }
  return target;
}

function safeParts(path: string): readonly string[] {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || /[\\\0]/.test(part))) throw unsafe(path);
  return parts;
}

function unsafe(path: string): SluiceError {
  return new SluiceError('ERR_WORKSPACE', `the artefact ${JSON.stringify(path)} would be written outside the folder`, {
    hint: 'Download into an empty folder.',
  });
}
