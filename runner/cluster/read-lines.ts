import { StringDecoder } from 'node:string_decoder';

/** Complete lines. What comes after the last line feed is half a line and is given up, as its end is not known. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  const pieces: string[] = [];
  for await (const chunk of chunks) {
    const [first = '', ...rest] = decoder.write(Buffer.from(chunk)).split('\n');
    pieces.push(first);
    for (const next of rest) {
      yield pieces.join('');
      pieces.length = 0;
      pieces.push(next);
    }
  }
}
