import type { Kysely, Selectable } from 'kysely';
import { SluiceError } from '../../model/errors.ts';
import type { Repository } from '../intake.ts';
import type { RepositoriesTable, Schema } from './schema.ts';

export async function addRepository(db: Kysely<Schema>, repository: Repository): Promise<void> {
  const { id, name, forge, forgeId, cloneUrl, file, forks, secrets, createdAt } = repository;
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('repositories')
    .values({ id, name, forge, forge_id: forgeId, clone_url: cloneUrl, file, forks, secrets, created_at: createdAt })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows !== 0n) return;
  throw new SluiceError('ERR_CONFLICT', `There is a repository "${name}" already.`, {
    hint: '`sluice repository list` lists all of them.',
  });
}

export async function removeRepository(db: Kysely<Schema>, id: string): Promise<void> {
  const { numDeletedRows } = await db.deleteFrom('repositories').where('id', '=', id).executeTakeFirst();
  if (numDeletedRows === 0n) throw new SluiceError('ERR_NOT_FOUND', `There is no repository "${id}".`);
  for (const table of ['looks', 'seen_refs', 'schedules'] as const)
    await db.deleteFrom(table).where('repository_id', '=', id).execute();
}

export async function findRepository(
  db: Kysely<Schema>,
  column: 'id' | 'name',
  value: string,
): Promise<Repository | undefined> {
  const row = await db.selectFrom('repositories').selectAll().where(column, '=', value).executeTakeFirst();
  return row && toRepository(row);
}

export async function listRepositories(db: Kysely<Schema>): Promise<readonly Repository[]> {
  return (await db.selectFrom('repositories').selectAll().orderBy('name').execute()).map(toRepository);
}

/**
 * Binds the forge's number on first sight, so that a hook whose secret leaks to another repository is of no use there. Until
 * the transaction ends no other delivery of the repository is looked at, one without a number neither.
 */
export async function bindRepository(db: Kysely<Schema>, id: string, forgeId: string): Promise<void> {
  if (forgeId === '') {
    await lockRepository(db, id);
    return;
  }
  const { numUpdatedRows } = await db
    .updateTable('repositories')
    .set({ forge_id: forgeId })
    .where('id', '=', id)
    .where('forge_id', 'in', ['', forgeId])
    .executeTakeFirst();
  if (numUpdatedRows !== 0n) return;
  throw new SluiceError('ERR_FORBIDDEN', 'The delivery speaks of another repository than this hook is for.', {
    hint: 'Give each repository a hook and a secret of its own.',
  });
}

/** Keeps others who lock it waiting until the transaction ends; false when there is no such repository. */
export async function lockRepository(db: Kysely<Schema>, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('repositories')
    .set((row) => ({ forge_id: row.ref('forge_id') }))
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows !== 0n;
}

function toRepository(row: Selectable<RepositoriesTable>): Repository {
  const { id, name, forge, file, forks, secrets } = row;
  return {
    id,
    name,
    forge,
    forgeId: row.forge_id,
    cloneUrl: row.clone_url,
    file,
    forks,
    secrets,
    createdAt: row.created_at,
  };
}
