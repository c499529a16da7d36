import { SluiceError } from '../../model/errors.ts';
import { fits } from './shape.ts';
import type { Shape } from './shape.ts';

const chunkLength = 1_000_000;

interface Chunk<Item> {
  /** The items as a JSON list. */
  readonly text: string;
  readonly items: readonly Item[];
}

/** Chunks that together hold all items in their order, each about a megabyte long. */
export async function* chunksOf<Item>(batches: AsyncIterable<readonly Item[]>): AsyncGenerator<Chunk<Item>> {
  let texts: string[] = [];
  let items: Item[] = [];
  let length = 0;
  for await (const batch of batches) {
    for (const item of batch) {
      const text = JSON.stringify(item);
      texts.push(text);
      items.push(item);
      length += text.length;
      if (length < chunkLength) continue;
      yield { text: `[${texts.join(',')}]`, items };
      texts = [];
      items = [];
      length = 0;
    }
  }
  if (items.length > 0) yield { text: `[${texts.join(',')}]`, items };
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
