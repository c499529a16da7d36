import { parseWorkflowFile, readablePart } from './parse-file.ts';
import type { ParsedFile } from './parse-file.ts';
import type { PipelineFile, Step } from './pipeline-file.generated.ts';
import { parseUses } from './uses-reference.ts';
import type { WorkflowTexts } from './workflows.ts';

/**
 * Paths of the workflow files that a pipeline uses, directly or through others, and whose text is not known yet. Read
 * them, add them (`undefined` when there is none) and ask again, until none is missing.
 */
export function missingWorkflows(file: ParsedFile<PipelineFile>, texts: WorkflowTexts): readonly string[] {
  const { steps, finally: last } = readablePart(file)?.value ?? {};
  const seen = new Set(pathsIn({ ...steps, ...last }));
  // A set can grow while it is walked: files found on the way are looked into as well.
  for (const path of seen) {
    const text = texts.files.get(path);
    const workflow = text === undefined ? undefined : readablePart(parseWorkflowFile(text, path));
    for (const inner of pathsIn(workflow?.value.steps ?? {})) seen.add(inner);
  }
  return [...seen].filter((path) => !texts.files.has(path));
}

function pathsIn(steps: Readonly<Record<string, Step>>): readonly string[] {
  return Object.values(steps).flatMap(({ uses }) => {
    const reference = uses === undefined ? undefined : parseUses(uses);
    return reference?.kind === 'file' ? [reference.path] : [];
  });
}
