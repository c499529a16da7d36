import { TextDecoder } from 'node:util';
import { Unreadable } from './unreadable.ts';

/** Enough for a byte order mark and an XML declaration. */
const headBytes = 1_024;
/** So much is handed on at once, however large the chunks are that come in. */
const pieceBytes = 65_536;

/**
 * Text of an XML file: encoding by byte order mark, else by the shape of its first characters, else as declared, else
 * UTF-8. A declaration that its own bytes contradict is not believed. Throws Unreadable for bytes that do not fit.
 */
export async function* decodeXml(content: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let head = Buffer.alloc(0);
  for await (const chunk of content) {
    if (decoder) {
      yield* decodePieces(decoder, chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < headBytes) continue;
    decoder = decoderFor(head);
    yield* decodePieces(decoder, head);
  }
  if (!decoder) {
    decoder = decoderFor(head);
    yield* decodePieces(decoder, head);
  }
  yield decode(decoder);
}

function* decodePieces(decoder: TextDecoder, bytes: Uint8Array): Generator<string> {
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    yield decode(decoder, bytes.subarray(start, start + pieceBytes));
  }
}

function decode(decoder: TextDecoder, bytes?: Uint8Array): string {
  try {
    return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
  } catch {
    throw new Unreadable(`not valid ${decoder.encoding}`);
  }
}

function decoderFor(head: Buffer): TextDecoder {
  const encoding = encodingOf(head);
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    throw new Unreadable(`unknown encoding ${encoding}`);
  }
}

function encodingOf(head: Buffer): string {
  const start = head.toString('latin1', 0, 4);
  if (start.startsWith('\xef\xbb\xbf')) return 'utf-8';
  if (start === '\xff\xfe\0\0' || start === '\0\0\xfe\xff') return 'utf-32';
  if (start.startsWith('\xff\xfe') || start === '<\0?\0') return 'utf-16le';
  if (start.startsWith('\xfe\xff') || start === '\0<\0?') return 'utf-16be';
  const declared = /^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(head.toString('latin1', 0, headBytes))?.[1];
  return declared === undefined || /^(utf|ucs|iso-10646)/i.test(declared) ? 'utf-8' : declared;
}
