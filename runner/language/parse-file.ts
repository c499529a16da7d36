import type { ValidateFunction } from 'ajv';
import type { ParsedNode } from 'yaml';
import type { Checked, Problem } from '../model/problem.ts';
import { explainSchemaErrors } from './explain-schema-errors.ts';
import { locator } from './locate.ts';
import type { PipelineFile, WorkflowFile } from './pipeline-file.generated.ts';
import type { Positioned } from './positioned.ts';
import { limitProblems, maxShown } from './problem.ts';
import { checkContent, readText } from './read-text.ts';
import type { Text } from './read-text.ts';
import { readValue } from './read-value.ts';
import type { RefuseKey } from './read-value.ts';
import { readYaml } from './read-yaml.ts';
import { explainRefusedKey } from './refused-keys.ts';
import { pipelineSchema, workflowSchema } from './schema.ts';
import type { Schema } from './schema.ts';
import { validatePipelineFile, validateWorkflowFile } from './validators.generated.js';

/** The text of a pipeline file to its checked value with places, or to every mistake in it, sorted by place. */
export function parsePipelineFile(content: string, file: string): Checked<Positioned<PipelineFile>> {
  return parseFile(content, file, { schema: pipelineSchema, validate: validatePipelineFile });
}

/** The same for a workflow file. */
export function parseWorkflowFile(content: string, file: string): Checked<Positioned<WorkflowFile>> {
  return parseFile(content, file, { schema: workflowSchema, validate: validateWorkflowFile });
}

interface Grammar<Value> {
  readonly schema: Schema;
  readonly validate: ValidateFunction<Value>;
}

function parseFile<Value>(content: string, file: string, grammar: Grammar<Value>): Checked<Positioned<Value>> {
  const source = readText(content, file);
  const unreadable = checkContent(content, source);
  if (unreadable) return { ok: false, problems: [unreadable] };
  const yaml = readYaml(source);
  if (!yaml.root) return { ok: false, problems: yaml.problems };
  const checked = check(source, yaml.root, grammar);
  if (yaml.problems.length === 0 && checked.ok) return checked;
  const reliable = checked.ok ? [] : checked.problems.filter((problem) => standsAbove(problem, yaml.brokenLine));
  return { ok: false, problems: limitProblems([...yaml.problems, ...reliable]) };
}

/** Above the line where the text stops being YAML everything is as it seems, but maps may go on behind it. */
function standsAbove({ line, code }: Problem, brokenLine: number): boolean {
  return brokenLine === Infinity || (line < brokenLine && code !== 'missing-key' && code !== 'empty-value');
}

function check<Value>(
  source: Text,
  root: ParsedNode,
  { schema, validate }: Grammar<Value>,
): Checked<Positioned<Value>> {
  const problems: Problem[] = [];
  const refuse: RefuseKey = (code, node, key) => {
    if (problems.length <= maxShown) problems.push(explainRefusedKey(source, code, node, key));
  };
  const value = readValue(root, schema, refuse);
  const { file, lines } = source;
  const locate = locator(source, root);
  if (validate(value) && problems.length === 0) return { ok: true, value: { file, lines, value, locate } };
  problems.push(...explainSchemaErrors({ file, lines, value, locate }, schema, validate.errors ?? []));
  return { ok: false, problems };
}
