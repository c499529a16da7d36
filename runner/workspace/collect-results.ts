import { lstatSync, readFileSync } from 'node:fs';
import { messageOf, SluiceError } from '../model/errors.ts';
import { verdictOf } from '../model/outcome.ts';
import type { Reason, Verdict } from '../model/outcome.ts';
import type { PlanArtifact, RunStep } from '../model/plan.ts';
import type { ArtifactEntry } from '../model/result.ts';
import type { BlobAccess } from './blob-access.ts';
import { eachOf } from './each-of.ts';
import { openFound } from './find-files.ts';
import type { Found, FoundFile } from './find-files.ts';
import { findInFolders, isInPlace } from './find-in-folders.ts';
import type { CommandFolders } from './find-in-folders.ts';
import { limitedBlobs } from './limited-blobs.ts';
import { packTar } from './pack-tar.ts';
import type { WorkspaceContent } from './prepare-workspace.ts';

const outputLimit = 64 * 1024;

/** Storing a small file is mostly waiting for the disk. */
const storedAtOnce = 16;

/** What a step declares of its results, as globs. */
export interface DeclaredResults {
  readonly junit: readonly string[];
  readonly artifacts: readonly PlanArtifact[];
  /** What is handed to the steps that need this one. */
  readonly outputs: readonly string[];
  readonly caches: WorkspaceContent['caches'];
}

export interface CommandResults {
  /** Files that matched `artifacts` and `junit`, stored as blobs. Collected after a failure too. */
  readonly files: readonly ArtifactEntry[];
  /** Raw text of $SLUICE_OUTPUT, 64 KiB at most. */
  readonly output: string;
  /** Blob of the tar of `outputs`, absent when none were declared or the command failed. */
  readonly handover?: string;
  /** Blobs of the caches to keep, by key; only for keys that were not found before. */
  readonly caches: Readonly<Record<string, string>>;
}

export interface Collected {
  readonly results: CommandResults;
  /** What turns a command that succeeded into a step that did not. */
  readonly problem: Verdict | undefined;
}

interface Part<Value> {
  readonly value: Value;
  readonly problem?: Verdict | undefined;
}

/** What is collected, from where; `signal` ends it before it is done. */
export interface Collection {
  readonly declared: DeclaredResults;
  readonly folders: CommandFolders;
  /** What `prepareWorkspace` answered. */
  readonly commitUntilMs: number;
  readonly blobs: BlobAccess;
  /** How much may be stored in all. */
  readonly maxBytes: number;
  /** A remark for people. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

/** What a step declares, in the words of this room. */
export function declaredResults(step: RunStep, caches: WorkspaceContent['caches']): DeclaredResults {
  return { junit: step.junit.paths, artifacts: step.artifacts, outputs: step.outputs.paths, caches };
}

/** Takes out of a command's folders what was declared: files always, what later steps build on only after success. */
export async function collectResults(whole: Collection, succeeded: boolean): Promise<Collected> {
  const nothing = { files: [], output: '', caches: {} };
  const collection = { ...whole, blobs: limitedBlobs(whole.blobs, whole.maxBytes, whole.signal) };
  try {
    const files = await collectFiles(collection);
    const output = readOutput(collection.folders.output);
    const handover = succeeded ? await packHandover(collection) : { value: undefined };
    const problem = files.problem ?? output.problem ?? handover.problem;
    const caches = succeeded && problem === undefined ? await saveCaches(collection) : {};
    return {
      problem,
      results: {
        files: files.value,
        output: output.value,
        caches,
        ...(problem !== undefined || handover.value === undefined ? {} : { handover: handover.value }),
      },
    };
  } catch (error) {
    const { signal } = collection;
    const problem = signal.aborted
      ? verdictOf(signal.reason as Reason, 'its files were not collected')
      : verdictOf(isTooMuch(error) ? 'upload_limit' : 'collect_failed', messageOf(error));
    return { results: nothing, problem };
  }
}

function isTooMuch(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'ERR_LIMIT';
}

/** A report that the commit brought along says nothing of this command, which may have written none. */
async function collectFiles({
  declared,
  folders,
  commitUntilMs,
  blobs,
  note,
  signal,
}: Collection): Promise<Part<readonly ArtifactEntry[]>> {
  const files = new Map<string, ArtifactEntry>();
  const problems: Verdict[] = [];
  const wanted = [
    ...declared.junit.map((path) => ({ kind: 'junit' as const, path, required: false })),
    ...declared.artifacts.map((artifact) => ({ kind: 'artifact' as const, ...artifact })),
  ];
  for (const { kind, path, required } of wanted) {
    const found = await findInFolders(folders, [path], signal);
    if (found.unsafe.length > 0) problems.push(unsafe(found));
    const isOwn = ({ changedMs }: FoundFile): boolean => kind !== 'junit' || changedMs >= commitUntilMs;
    const [own, ofCommit] = [found.files.filter(isOwn), found.files.filter((file) => !isOwn(file))];
    if (ofCommit.length > 0)
      note(`not counted, since the commit has it and nothing wrote it anew: ${namesOf(ofCommit)}`);
    if (found.files.length === 0 && required) problems.push(verdictOf('artifact_missing', `nothing matches ${path}`));
    if (found.files.length === 0 && !required) note(`nothing matches ${path}`);
    const entries = await eachOf(own, storedAtOnce, async (file): Promise<ArtifactEntry> => {
      const stored = await blobs.put(openFound(file));
      return { kind, path: file.path, ...stored, mode: file.mode };
    });
    for (const entry of entries) files.set(`${kind}:${entry.path}`, entry);
  }
  return { value: [...files.values()], problem: problems[0] };
}

function namesOf(files: readonly FoundFile[]): string {
  const names = files.slice(0, 3).map(({ path }) => path);
  return `${names.join(', ')}${files.length > names.length ? `, and ${files.length - names.length} more` : ''}`;
}

async function packHandover({
  declared,
  folders: { workspace },
  blobs,
  signal,
}: Collection): Promise<Part<string | undefined>> {
  if (declared.outputs.length === 0) return { value: undefined };
  for (const path of declared.outputs) {
    const found = await findInFolders({ workspace }, [path], signal);
    if (found.unsafe.length > 0) return { value: undefined, problem: unsafe(found) };
    if (found.paths.length === 0) {
      return { value: undefined, problem: verdictOf('output_missing', `nothing matches ${path}`) };
    }
  }
  const found = await findInFolders({ workspace }, declared.outputs, signal);
  const { sha256 } = await blobs.put(packTar(workspace, found.paths));
  return { value: sha256 };
}

async function saveCaches({
  declared,
  folders,
  blobs,
  note,
  signal,
}: Collection): Promise<Readonly<Record<string, string>>> {
  const saved: Record<string, string> = {};
  const home = isInPlace(folders.home) ? folders.home : undefined;
  for (const { key, paths } of declared.caches.filter((cache) => cache.blob === undefined)) {
    const found = await findInFolders(folders, paths, signal);
    if (found.unsafe.length > 0) note(`cache ${key} not saved: ${unsafe(found).message ?? ''}`);
    if (found.unsafe.length > 0 || found.paths.length === 0) continue;
    const { sha256 } = await blobs.put(packTar(folders.workspace, found.paths, home));
    saved[key] = sha256;
  }
  return saved;
}

/** The command may have put anything in the place of the file: only a regular one is read, and never more than allowed. */
function readOutput(path: string): Part<string> {
  const invalid = (what: string): Part<string> => ({
    value: '',
    problem: verdictOf('output_invalid', `$SLUICE_OUTPUT ${what}`),
  });
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) return invalid('is no file any more');
  if (stat.size > outputLimit) return invalid(`holds ${stat.size} bytes`);
  return { value: readFileSync(path, 'utf8') };
}

function unsafe(found: Found): Verdict {
  return verdictOf('unsafe_path', found.unsafe.join(', '));
}
