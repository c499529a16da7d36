import { lstatSync, readFileSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { messageOf } from '../../model/errors.ts';
import { verdictOf } from '../../model/outcome.ts';
import type { Verdict } from '../../model/outcome.ts';
import type { ArtifactEntry } from '../../model/result.ts';
import { openFound } from '../../workspace/find-files.ts';
import type { Found } from '../../workspace/find-files.ts';
import { packTar } from '../../workspace/pack-tar.ts';
import type { AttemptContext, AttemptOutcome, AttemptSpec, StopReason } from '../executor.ts';
import type { AttemptFolder } from './attempt-folder.ts';
import { findInAttempt, isInPlace } from './find-in-attempt.ts';

const outputLimit = 64 * 1024;

type Results = Pick<AttemptOutcome, 'files' | 'output' | 'handover' | 'caches'>;

export interface Collected {
  readonly results: Results;
  /** What turns a command that succeeded into a step that did not. */
  readonly problem: Verdict | undefined;
}

interface Part<Value> {
  readonly value: Value;
  readonly problem?: Verdict | undefined;
}

/** What is collected, from where; `signal` ends it before it is done. */
interface Collection {
  readonly spec: AttemptSpec;
  readonly folder: AttemptFolder;
  readonly context: AttemptContext;
  readonly signal: AbortSignal;
}

/** Takes out of the attempt's folder what was declared: files always, what later steps build on only after success. */
export async function collect(collection: Collection, succeeded: boolean): Promise<Collected> {
  const nothing = { files: [], output: '', caches: {} };
  try {
    const files = await collectFiles(collection);
    const output = readOutput(collection.folder.output);
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
      ? verdictOf(signal.reason as StopReason, 'its files were not collected')
      : verdictOf('collect_failed', messageOf(error));
    return { results: nothing, problem };
  }
}

async function collectFiles({
  spec: { step },
  folder,
  context,
  signal,
}: Collection): Promise<Part<readonly ArtifactEntry[]>> {
  const files = new Map<string, ArtifactEntry>();
  const problems: Verdict[] = [];
  const declared = [
    ...step.junit.paths.map((path) => ({ kind: 'junit' as const, path, required: false })),
    ...step.artifacts.map((artifact) => ({ kind: 'artifact' as const, ...artifact })),
  ];
  for (const { kind, path, required } of declared) {
    const found = await findInAttempt(folder, [path], signal);
    if (found.unsafe.length > 0) problems.push(unsafe(found));
    if (found.files.length === 0 && required) problems.push(verdictOf('artifact_missing', `nothing matches ${path}`));
    if (found.files.length === 0 && !required) context.note(`nothing matches ${path}`);
    for (const file of found.files) {
      const stored = await context.blobs.put(addAbortSignal(signal, openFound(file)));
      files.set(`${kind}:${file.path}`, { kind, path: file.path, ...stored, mode: file.mode });
    }
  }
  return { value: [...files.values()], problem: problems[0] };
}

async function packHandover({
  spec: { step },
  folder: { workspace },
  context: { blobs },
  signal,
}: Collection): Promise<Part<string | undefined>> {
  if (step.outputs.paths.length === 0) return { value: undefined };
  for (const path of step.outputs.paths) {
    const found = await findInAttempt({ workspace }, [path], signal);
    if (found.unsafe.length > 0) return { value: undefined, problem: unsafe(found) };
    if (found.paths.length === 0) {
      return { value: undefined, problem: verdictOf('output_missing', `nothing matches ${path}`) };
    }
  }
  const found = await findInAttempt({ workspace }, step.outputs.paths, signal);
  const { sha256 } = await blobs.put(addAbortSignal(signal, packTar(workspace, found.paths)));
  return { value: sha256 };
}

async function saveCaches({ spec, folder, context, signal }: Collection): Promise<Readonly<Record<string, string>>> {
  const saved: Record<string, string> = {};
  const home = isInPlace(folder.home) ? folder.home : undefined;
  for (const { key, paths } of spec.caches.filter((cache) => cache.blob === undefined)) {
    const found = await findInAttempt(folder, paths, signal);
    if (found.unsafe.length > 0) context.note(`cache ${key} not saved: ${unsafe(found).message ?? ''}`);
    if (found.unsafe.length > 0 || found.paths.length === 0) continue;
    const { sha256 } = await context.blobs.put(addAbortSignal(signal, packTar(folder.workspace, found.paths, home)));
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
