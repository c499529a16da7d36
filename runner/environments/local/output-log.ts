import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const mostBytes = 4 * 1024 * 1024;
const keptBytes = 16 * 1024;
const keptLines = 15;

/** What a process writes: in a file, with the part before it beside that, and the end of it at hand. */
export class OutputLog {
  readonly path: string;
  #bytes: number;
  #end = Buffer.alloc(0);

  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  add(chunk: Uint8Array): void {
    if (this.#bytes > mostBytes) {
      renameSync(this.path, `${this.path}.1`);
      this.#bytes = 0;
    }
    appendFileSync(this.path, chunk, { mode: 0o600 });
    this.#bytes += chunk.length;
    this.#end = Buffer.concat([this.#end, chunk]).subarray(-keptBytes);
  }

  /** A new process begins: the last lines are its own. */
  begin(): void {
    this.#end = Buffer.alloc(0);
  }

  get lastLines(): string {
    return this.#end.toString().trimEnd().split('\n').slice(-keptLines).join('\n');
  }
}
