import type { Problem } from '../model/problem.ts';
import type { Path, Positioned, Span } from './positioned.ts';
import type { ProblemCode } from './problem-codes.ts';
import { problem, sortProblems } from './problem.ts';

/** A place in a file: what a problem is about. */
export interface Spot {
  readonly source: Positioned<unknown>;
  readonly path: Path;
  readonly part?: 'key' | 'value';
  readonly within?: Span;
}

/** Whether a step has lost something to a mistake of form, so that nobody can say what it lacks or offers. */
export function isDamaged({ source, path: [section, name] }: Spot): boolean {
  return source.damaged?.has(`${String(section)}/${String(name)}`) ?? false;
}

export function under(spot: Spot, ...path: Path): Spot {
  return { source: spot.source, path: [...spot.path, ...path] };
}

/** What may be said of a step only because a part of it with a mistake of form is left out. */
const consequences: ReadonlySet<ProblemCode> = new Set([
  'step-kind',
  'step-field',
  'input-missing',
  'secret-not-given',
  'secret-unused',
  'expression-unknown-name',
]);

/** Gathers problems; the same one found twice, as in two uses of one workflow, counts once. */
export class ProblemList {
  readonly #found = new Map<string, Problem>();

  add(spot: Spot, code: ProblemCode, message: string, hint?: string): void {
    if (consequences.has(code) && isDamaged(spot)) return;
    const at = spot.source.locate(spot.path, spot.part, spot.within);
    this.#addOnce(problem(spot.source, at, code, message, hint));
  }

  addAll(problems: readonly Problem[]): void {
    for (const found of problems) this.#addOnce(found);
  }

  get sorted(): readonly Problem[] {
    return sortProblems([...this.#found.values()]);
  }

  #addOnce(found: Problem): void {
    const key = `${found.file}:${found.line}:${found.column}:${found.code}:${found.message}`;
    if (!this.#found.has(key)) this.#found.set(key, found);
  }
}
