import { StringDecoder } from 'node:string_decoder';

const longestLine = 65_536;

/** Cuts chunks of bytes into lines of text. A line that does not end is given out in parts, so that memory is bounded. */
export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';

  /** The lines that this chunk completes. */
  add(chunk: Uint8Array): readonly string[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const lines = (this.rest + this.decoder.write(bytes)).split('\n');
    this.rest = lines.pop() ?? '';
    if (this.rest.length <= longestLine) return lines;
    lines.push(this.rest);
    this.rest = '';
    return lines;
  }

  /** What stands behind the last line end. */
  end(): string {
    const rest = this.rest + this.decoder.end();
    this.rest = '';
    return rest;
  }
}
