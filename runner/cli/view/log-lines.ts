import type { Palette } from '../terminal/palette.ts';
import { harmless } from '../terminal/text.ts';
import { LineSplitter } from './line-splitter.ts';

interface LogLinesOptions {
  readonly write: (text: string) => void;
  readonly palette: Palette;
  /** Whether the colours of the steps' own output pass. */
  readonly color: boolean;
}

/** Output of several steps at once, line by line, each with the name of its step. */
export class LogLines {
  readonly #options: LogLinesOptions;
  readonly #partial = new Map<string, LineSplitter>();

  constructor(options: LogLinesOptions) {
    this.#options = options;
  }

  add(step: string, chunk: Uint8Array): void {
    const lines = this.#partial.get(step) ?? new LineSplitter();
    this.#partial.set(step, lines);
    const complete = lines.add(chunk);
    if (complete.length > 0) this.#options.write(complete.map((line) => this.#shown(step, line)).join(''));
  }

  /** A step that has ended completes no line any more. */
  end(step: string): void {
    const rest = this.#partial.get(step)?.end() ?? '';
    this.#partial.delete(step);
    if (rest !== '') this.#options.write(this.#shown(step, rest));
  }

  close(): void {
    for (const step of [...this.#partial.keys()]) this.end(step);
  }

  #shown(step: string, line: string): string {
    const { palette, color } = this.#options;
    return `${palette.faint(`${step} │`)} ${harmless(line, color)}\n`;
  }
}
