import type { ErrorObject, ValidateFunction } from 'ajv';
import type { Json } from '../model/json.ts';
import { explainMistake } from './explain-mistake.ts';
import type { Explanation } from './explain-mistake.ts';
import type { Path } from './positioned.ts';
import { unknown } from './read-value.ts';
import { enough, schemaMistakes } from './schema-mistakes.ts';
import { kindOf } from './schema.ts';
import type { Schema } from './schema.ts';

/** The form of a kind of file. */
export interface Form<Value> {
  readonly schema: Schema;
  readonly validate: ValidateFunction<Value>;
}

/** A kind of file with steps. */
export interface Grammar<Value> extends Form<Value> {
  /** The key that names it. */
  readonly nameKey: 'pipeline' | 'workflow';
}

export interface SoundPart<Value> {
  readonly value: Value;
  /** What is not all that was written: steps, as `steps/lint`, and `backend`. */
  readonly damaged: ReadonlySet<string>;
}

type Draft = Record<string, unknown>;
type Wrong = Pick<Explanation, 'path' | 'part'>;

// Each round takes out what is wrong; a map that lacks it then may be wrong in the next.
const maxRounds = 8;

/**
 * What is left of a file when everything with a mistake of form is taken out, so that the rest can be judged for its
 * meaning; undefined where what is left would mean something else. `spoiled` are maps with keys that were not read.
 */
export function soundPart<Value>(
  root: Json,
  grammar: Grammar<Value>,
  spoiled: ReadonlySet<Json>,
): SoundPart<Value> | undefined {
  if (kindOf(root) !== 'object') return undefined;
  const incomplete = pathsOf(root, (value) => spoiled.has(value));
  if (incomplete.some((path) => path.length === 0 || (path.length === 1 && isSection(path[0])))) return undefined;
  const damaged = new Set(incomplete.flatMap(partAt));
  const draft = structuredClone(root) as Draft;
  let wrong: readonly Wrong[] = pathsOf(root, (value) => value === unknown).map((path) => ({ path }));
  for (let round = 0; round < maxRounds; round += 1) {
    if (wrong.some(({ path }) => isVital(path, grammar))) return undefined;
    for (const { path } of wrong) for (const step of partAt(path)) damaged.add(step);
    for (const mistake of wrong) takeOut(draft, mistake, grammar.schema, damaged);
    draft[grammar.nameKey] ??= 'unnamed';
    for (const step of damaged) needNothing(draft, step);
    if (grammar.validate(draft)) return { value: draft, damaged };
    const errors: readonly ErrorObject[] = grammar.validate.errors ?? [];
    if (errors.length > enough) return undefined;
    wrong = schemaMistakes(errors, draft as Json, grammar.schema).map(explainMistake);
  }
  return undefined;
}

function pathsOf(value: Json, wanted: (value: Json) => boolean, path: Path = []): readonly Path[] {
  const own = wanted(value) ? [path] : [];
  if (typeof value !== 'object' || value === null) return own;
  const entries: readonly (readonly [string | number, Json])[] = Array.isArray(value)
    ? (value as readonly Json[]).map((item, index) => [index, item])
    : Object.entries(value);
  return [...own, ...entries.flatMap(([key, inner]) => pathsOf(inner, wanted, [...path, key]))];
}

const isSection = (key: unknown): boolean => key === 'steps' || key === 'finally';

const isKnown = (schema: Schema, key: string | number = ''): boolean =>
  Object.hasOwn(schema.properties ?? {}, String(key));

/** The step in which a path ends, if it does; or the backend, of which nothing is left then. */
const partAt = ([section, name]: Path): readonly string[] => {
  if (section === 'backend') return ['backend'];
  return isSection(section) && name !== undefined ? [`${String(section)}/${name}`] : [];
};

/** Without it nothing can be said: the file itself, and what the users of a workflow refer to or may have meant to. */
function isVital([top]: Path, { schema, nameKey }: Grammar<unknown>): boolean {
  if (top === undefined) return true;
  return nameKey === 'workflow' && (top === 'inputs' || top === 'outputs' || !isKnown(schema, top));
}

function takeOut(draft: Draft, { path, part }: Wrong, schema: Schema, damaged: Set<string>): void {
  const [top = '', name = ''] = path.map(String);
  const isStep = path.length === 2 && isSection(top);
  // The name of a step is kept, because others may need it; so is one that may have lost its indentation.
  if (isStep && part !== 'key') {
    keepName(draft, top, name, damaged);
    return;
  }
  deleteAt(draft, path);
  const isLost = path.length === 1 && !isKnown(schema, top) && !hasStep(draft, top);
  if (isLost) keepName(draft, 'steps', top, damaged);
}

const hasStep = ({ steps }: Draft, name: string): boolean => isMap(steps) && Object.hasOwn(steps, name);

function keepName(draft: Draft, section: string, name: string, damaged: Set<string>): void {
  const steps = draft[section];
  if (!isMap(steps)) return;
  steps[name] = {};
  damaged.add(`${section}/${name}`);
}

/** A step that lost its `needs` does not wait for the one above it. */
function needNothing(draft: Draft, place: string): void {
  const [section = '', name = ''] = place.split('/');
  const steps = draft[section];
  const step = isMap(steps) ? steps[name] : undefined;
  if (isMap(step)) step['needs'] ??= [];
}

/** Fields go as a whole: half a matrix or half a list would mean something else. */
function deleteAt(draft: Draft, path: Path): void {
  const [top = '', name = '', field] = path.map(String);
  const steps = draft[top];
  if (!isSection(top) || path.length === 1) Reflect.deleteProperty(draft, top);
  else if (field === undefined && isMap(steps)) Reflect.deleteProperty(steps, name);
  else if (isMap(steps) && isMap(steps[name]) && field !== undefined) Reflect.deleteProperty(steps[name], field);
}

const isMap = (value: unknown): value is Draft => typeof value === 'object' && value !== null && !Array.isArray(value);
