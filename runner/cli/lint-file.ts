import { readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { compilePipeline } from '../language/compile-pipeline.ts';
import { missingWorkflows } from '../language/missing-workflows.ts';
import { parsePipelineFile, parseWorkflowFile } from '../language/parse-file.ts';
import type { ParsedFile } from '../language/parse-file.ts';
import type { PipelineFile } from '../language/pipeline-file.generated.ts';
import type { WorkflowTexts } from '../language/workflows.ts';
import { SluiceError } from '../model/errors.ts';
import type { Problem } from '../model/problem.ts';
import type { TriggerEvent } from '../model/run-request.ts';
import { filesBelow, repositoryRoot } from './repository-files.ts';

/** A push to a branch, for what can only be checked with the facts of a run at hand. */
const someTrigger: TriggerEvent = {
  event: 'push',
  ref: 'refs/heads/main',
  branch: 'main',
  tag: '',
  commit: '0'.repeat(40),
  actor: 'lint',
};

/** Every mistake in a pipeline or workflow file and in the workflows that it uses. ERR_USAGE when it cannot be read. */
export async function lintFile(path: string, gates: ReadonlyMap<string, string>): Promise<readonly Problem[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new SluiceError('ERR_USAGE', `cannot read ${path}`, {
      hint: 'Name the file, or write one with: sluice init',
      cause: error,
    });
  });
  const root = (await repositoryRoot(dirname(path))) ?? dirname(path);
  const name = relative(root, path).split(sep).join('/');
  if (isWorkflow(text)) return problemsOf(parseWorkflowFile(text, name));
  const parsed = parsePipelineFile(text, name);
  const workflows = await readWorkflows(parsed, root, gates);
  const files = await filesBelow(root);
  return problemsOf(compilePipeline({ file: parsed, trigger: someTrigger, files, workflows }));
}

function isWorkflow(text: string): boolean {
  return /^workflow[ \t]*:/m.test(text) && !/^pipeline[ \t]*:/m.test(text);
}

function problemsOf(checked: { readonly ok: true } | { readonly ok: false; readonly problems: readonly Problem[] }) {
  return checked.ok ? [] : checked.problems;
}

async function readWorkflows(
  file: ParsedFile<PipelineFile>,
  root: string,
  gates: ReadonlyMap<string, string>,
): Promise<WorkflowTexts> {
  const files = new Map<string, string | undefined>();
  for (;;) {
    const missing = missingWorkflows(file, { gates, files });
    if (missing.length === 0) return { gates, files };
    for (const path of missing) files.set(path, await readFile(join(root, path), 'utf8').catch(() => undefined));
  }
}
