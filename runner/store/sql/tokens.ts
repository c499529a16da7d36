import type { Kysely, Selectable } from 'kysely';
import { SluiceError } from '../../model/errors.ts';
import type { Token } from '../server-records.ts';
import type { Schema, TokensTable } from './schema.ts';

export async function addToken(db: Kysely<Schema>, token: Token, sha256: string): Promise<void> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('tokens')
    .values({
      id: token.id,
      name: token.name,
      role: token.role,
      repositories: token.repositories ? JSON.stringify(token.repositories) : null,
      sha256,
      created_at: token.createdAt,
      created_by: token.createdBy,
      expires_at: token.expiresAt ?? null,
      revoked_at: token.revokedAt ?? null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) throw new SluiceError('ERR_CONFLICT', `There is a token ${token.id} already.`);
}

export async function findToken(db: Kysely<Schema>, sha256: string): Promise<Token | undefined> {
  const row = await db.selectFrom('tokens').selectAll().where('sha256', '=', sha256).executeTakeFirst();
  return row && toToken(row);
}

export async function listTokens(
  db: Kysely<Schema>,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<readonly Token[]> {
  let query = db.selectFrom('tokens').selectAll().orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit);
  if (after !== undefined) {
    const last = await db.selectFrom('tokens').select(['created_at', 'id']).where('id', '=', after).executeTakeFirst();
    if (!last) throw tokenIsUnknown(after);
    query = query.where((eb) => eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(last.created_at, last.id)));
  }
  return (await query.execute()).map(toToken);
}

export async function revokeToken(db: Kysely<Schema>, id: string, at: number): Promise<Token> {
  await db.updateTable('tokens').set({ revoked_at: at }).where('id', '=', id).where('revoked_at', 'is', null).execute();
  const row = await db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw tokenIsUnknown(id);
  return toToken(row);
}

function tokenIsUnknown(id: string): SluiceError {
  return new SluiceError('ERR_NOT_FOUND', `There is no token "${id}".`, { hint: '`sluice token list` lists all.' });
}

function toToken(row: Selectable<TokensTable>): Token {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    ...(row.repositories !== null && { repositories: JSON.parse(row.repositories) as readonly string[] }),
    createdAt: row.created_at,
    createdBy: row.created_by,
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
    ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
  };
}
