import { deliveryLimits } from './limits.ts';

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const opening: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closing: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** The limit that a JSON text is over, as a sentence; one pass over the bytes, before anything is built of them. */
export function exceededLimit(body: Buffer): string | undefined {
  if (body.length > deliveryLimits.bodyBytes) return `The body has more than ${deliveryLimits.bodyBytes} bytes.`;
  let depth = 0;
  let values = 1;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index] ?? 0;
    if (byte === quote) index = endOfText(body, index);
    else if (byte === comma) values++;
    else if (closing.has(byte)) depth--;
    else if (opening.has(byte)) {
      depth++;
      values++;
    }
    if (depth > deliveryLimits.depth) return `The body is nested deeper than ${deliveryLimits.depth}.`;
    if (values > deliveryLimits.values) return `The body has more than ${deliveryLimits.values} values.`;
  }
  return undefined;
}

/** Index of the quote that ends the text which begins at `start`. UTF-8 has no quote or backslash inside a character. */
function endOfText(body: Buffer, start: number): number {
  let index = start + 1;
  while (index < body.length && body[index] !== quote) index += body[index] === backslash ? 2 : 1;
  return index;
}
