import { SluiceError } from '../model/errors.ts';

const endBytes = 1_024;

/** Watches the raw bytes of a tar go by, to tell at their end whether the archive was whole. */
export class ArchiveEnd {
  readonly #maxBytes: number;
  #bytes = 0;
  #zeros = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async *watch(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#maxBytes)
        throw new SluiceError('ERR_LIMIT', 'The archive is larger than its limits allow');
      this.#countZeros(chunk);
      yield chunk;
    }
  }

  /**
   * ERR_CORRUPT unless two zero blocks follow byte `end`, where the last member ends. An archive that was cut between
   * two members has no other mark.
   */
  verify(end: number): void {
    if (this.#zeros < endBytes || this.#bytes < end + endBytes) {
      throw new SluiceError('ERR_CORRUPT', `The archive is cut: no end mark behind ${this.#bytes} bytes`);
    }
  }

  #countZeros(chunk: Uint8Array): void {
    let zeros = 0;
    while (zeros < chunk.length && zeros < endBytes && chunk[chunk.length - 1 - zeros] === 0) zeros += 1;
    this.#zeros = zeros === chunk.length ? this.#zeros + zeros : zeros;
  }
}
