import { SluiceError } from '../model/errors.ts';

const newline = 10;

/** Takes the answers of `git cat-file --batch` apart: a line with the size, the content, a line end, and so on. */
export class BatchReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(output: AsyncIterable<Buffer>) {
    this.#chunks = output[Symbol.asyncIterator]();
  }

  /** Size of the next blob, which is `oid` and the content of `path`. */
  async size(oid: string, path: string): Promise<number> {
    let end = this.#buffer.indexOf(newline);
    while (end === -1) {
      this.#buffer = Buffer.concat([this.#buffer, await this.#next()]);
      end = this.#buffer.indexOf(newline);
    }
    const line = this.#take(end + 1).toString('latin1');
    const [, found, size] = /^(\w+) blob (\d+)\n$/.exec(line) ?? [];
    if (found === oid) return Number(size);
    throw new SluiceError('ERR_SOURCE', `The repository has no content for ${path} (${line.trim()})`, {
      hint: 'A partial clone fetches it with `git checkout`; else `git fsck` says what is wrong.',
    });
  }

  /** Content of the blob whose size was just read; it must be read to its end before the next. */
  async *content(bytes: number): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0;) {
      if (this.#buffer.length === 0) this.#buffer = await this.#next();
      const piece = this.#take(Math.min(left, this.#buffer.length));
      left -= piece.length;
      yield piece;
    }
    if (this.#buffer.length === 0) this.#buffer = await this.#next();
    this.#take(1);
  }

  #take(bytes: number): Buffer {
    const piece = this.#buffer.subarray(0, bytes);
    this.#buffer = this.#buffer.subarray(bytes);
    return piece;
  }

  async #next(): Promise<Buffer> {
    const chunk = await this.#chunks.next();
    if (chunk.done === true) throw new SluiceError('ERR_SOURCE', 'git ended in the middle of its answer');
    return chunk.value;
  }
}
