import { Type } from 'typebox';
import type { TSchema } from 'typebox';
import { ApiError } from './problem.ts';

const mark = 'c1.';

/** Where the next page begins. Opaque to callers: what it holds may change. */
export function cursorOf(position: string | number): string {
  return mark + Buffer.from(String(position)).toString('base64url');
}

/** What a cursor stands for; undefined for the first page. */
export function positionOf(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor.slice(mark.length), 'base64url').toString();
  if (cursorOf(text) === cursor && text !== '') return text;
  throw badCursor();
}

export function numberOf(cursor: string | undefined): number {
  const text = positionOf(cursor) ?? '0';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw badCursor();
}

export function badCursor(): ApiError {
  return new ApiError({
    status: 400,
    code: 'invalid',
    detail: 'The cursor is none of this list.',
    place: 'query/cursor',
    next: 'Take `next` of the page before as it is, or leave the cursor out.',
  });
}

export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 500, description: '`next` of the page before.' })),
};

/** One page of a list. `next` is there when more follows. */
export function pageSchema(name: string, item: TSchema) {
  return Type.Object({ [name]: Type.Array(item), next: Type.Optional(Type.String()) }, { additionalProperties: false });
}

/** The page of a list of which one more than `limit` was asked for. */
export function pageOf<Item>(
  name: string,
  items: readonly Item[],
  limit: number,
  position: (last: Item) => string | number,
): Record<string, unknown> {
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  return { [name]: shown, ...(items.length > limit && last !== undefined && { next: cursorOf(position(last)) }) };
}
