import { SluiceError } from '../../model/errors.ts';
import { fits } from './shape.ts';
import type { Shape } from './shape.ts';

const chunkLength = 1_000_000;

/** JSON lists that together hold all items in their order, each about a megabyte long. */
export async function* chunkTexts(batches: AsyncIterable<readonly unknown[]>): AsyncGenerator<string> {
  let items: string[] = [];
  let length = 0;
  for await (const batch of batches) {
    for (const item of batch) {
      const text = JSON.stringify(item);
      items.push(text);
      length += text.length;
      if (length < chunkLength) continue;
      yield `[${items.join(',')}]`;
      items = [];
      length = 0;
    }
  }
  if (items.length > 0) yield `[${items.join(',')}]`;
}

/** The items of a stored list. ERR_CORRUPT, naming the list, when the text holds anything else. */
export function readList<Item extends object>(text: string, shape: Shape<Item>, name: string): readonly Item[] {
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((item) => fits<Item>(item, shape))) return list;
    throw new TypeError('An item does not have the fields that it should have.');
  } catch (cause) {
    throw new SluiceError('ERR_CORRUPT', `${name} cannot be read from the database.`, {
      hint: 'Restore the database from a backup; docs/store.md says how.',
      cause,
    });
  }
}
