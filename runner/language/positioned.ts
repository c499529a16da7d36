import type { Location } from '../model/problem.ts';

/** The way to a value: keys of maps, indexes of lists. */
export type Path = readonly (string | number)[];

/** A file as its problems show it. */
export interface SourceText {
  readonly file: string;
  readonly lines: readonly string[];
}

/** Part of a text value in UTF-16 code units, such as an expression inside a template. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** A checked value that knows where each of its parts was written. */
export interface Positioned<Value> extends SourceText {
  readonly value: Value;
  /** Steps, as `steps/lint`, and `backend`, of which the value has only what has no mistake of form. */
  readonly damaged?: ReadonlySet<string>;
  /**
   * The place of a key or value; of the nearest parent that exists where `path` leads nowhere. `within` narrows a text
   * value to a part of it, as far as the way it was written allows.
   */
  readonly locate: (path: Path, part?: 'key' | 'value', within?: Span) => Location;
}
