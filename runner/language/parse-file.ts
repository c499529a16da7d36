import type { ParsedNode } from 'yaml';
import type { Json } from '../model/json.ts';
import type { Problem } from '../model/problem.ts';
import { explainSchemaErrors } from './explain-schema-errors.ts';
import { locator } from './locate.ts';
import type { ConfigFile, PipelineFile, WorkflowFile } from './pipeline-file.generated.ts';
import type { Positioned } from './positioned.ts';
import { limitProblems, maxShown } from './problem.ts';
import { checkContent, readText } from './read-text.ts';
import type { Text } from './read-text.ts';
import { readValue } from './read-value.ts';
import type { RefuseKey } from './read-value.ts';
import { readYaml } from './read-yaml.ts';
import { explainRefusedKey } from './refused-keys.ts';
import { configSchema, pipelineSchema, workflowSchema } from './schema.ts';
import { soundPart } from './sound-part.ts';
import type { Form, Grammar, SoundPart } from './sound-part.ts';
import { validateConfigFile, validatePipelineFile, validateWorkflowFile } from './validators.generated.js';

/** A file without a mistake of form, or every such mistake and what of the file can be judged for its meaning regardless. */
export type ParsedFile<Value> =
  | { readonly ok: true; readonly value: Positioned<Value> }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly sound?: Positioned<Value> };

/** The whole file, or what is sound of it; undefined where that is nothing. */
export function readablePart<Value>(file: ParsedFile<Value>): Positioned<Value> | undefined {
  return file.ok ? file.value : file.sound;
}

/** The text of a pipeline file to its checked value with places, or to every mistake in it, sorted by place. */
export function parsePipelineFile(content: string, file: string): ParsedFile<PipelineFile> {
  return parseSteps(content, file, { schema: pipelineSchema, validate: validatePipelineFile, nameKey: 'pipeline' });
}

/** The same for a workflow file. */
export function parseWorkflowFile(content: string, file: string): ParsedFile<WorkflowFile> {
  return parseSteps(content, file, { schema: workflowSchema, validate: validateWorkflowFile, nameKey: 'workflow' });
}

/** The same for a configuration file, of which no part counts without the rest. */
export function parseConfigFile(content: string, file: string): ParsedFile<ConfigFile> {
  return parseFile(content, file, { schema: configSchema, validate: validateConfigFile }, () => undefined);
}

function parseSteps<Value>(content: string, file: string, grammar: Grammar<Value>): ParsedFile<Value> {
  return parseFile(content, file, grammar, (value, spoiled) => soundPart(value, grammar, spoiled));
}

type SoundPartOf<Value> = (value: Json, spoiled: ReadonlySet<Json>) => SoundPart<Value> | undefined;

function parseFile<Value>(
  content: string,
  file: string,
  form: Form<Value>,
  soundPartOf: SoundPartOf<Value>,
): ParsedFile<Value> {
  const source = readText(content, file);
  const unreadable = checkContent(content, source);
  if (unreadable) return { ok: false, problems: [unreadable] };
  const yaml = readYaml(source);
  if (!yaml.root) return { ok: false, problems: yaml.problems };
  const checked = check(source, yaml.root, form, soundPartOf, yaml.problems.length === 0);
  if (checked.ok) return checked;
  const reliable = checked.problems.filter((problem) => standsAbove(problem, yaml.brokenLine));
  const problems = limitProblems([...yaml.problems, ...reliable]);
  // Where the text stops being YAML, or is wrong all over, nothing can be said about its meaning.
  const tellable = yaml.brokenLine === Infinity && problems.length <= maxShown;
  return { ok: false, problems, ...(tellable && checked.sound && { sound: checked.sound }) };
}

/** Above the line where the text stops being YAML everything is as it seems, but maps may go on behind it. */
function standsAbove({ line, code }: Problem, brokenLine: number): boolean {
  return brokenLine === Infinity || (line < brokenLine && code !== 'missing-key' && code !== 'empty-value');
}

/** `clean`: the text is YAML without anything that the language refuses. */
function check<Value>(
  source: Text,
  root: ParsedNode,
  { schema, validate }: Form<Value>,
  soundPartOf: SoundPartOf<Value>,
  clean: boolean,
): ParsedFile<Value> {
  const problems: Problem[] = [];
  const spoiled = new Set<Json>();
  const refuse: RefuseKey = (code, node, key, map) => {
    spoiled.add(map);
    if (problems.length <= maxShown) problems.push(explainRefusedKey(source, code, node, key));
  };
  const value = readValue(root, schema, refuse);
  const { file, lines } = source;
  const locate = locator(source, root);
  const fits = validate(value);
  if (fits && clean && problems.length === 0) return { ok: true, value: { file, lines, value, locate } };
  problems.push(...explainSchemaErrors({ file, lines, value, locate }, schema, fits ? [] : (validate.errors ?? [])));
  const sound = soundPartOf(value, spoiled);
  return { ok: false, problems, ...(sound && { sound: { file, lines, locate, ...sound } }) };
}
