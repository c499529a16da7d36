import { readdir, readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import pg from 'pg';

const folder = new URL('../migrations/', import.meta.url);

/** Applies the migrations that the database has not seen, in the order of their names; answers those names. */
export async function migrate(client) {
  const applied = [];
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock(4711)');
    await client.query('CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)');
    const { rows } = await client.query('SELECT name FROM migrations');
    const known = new Set(rows.map((row) => row.name));
    for (const name of (await readdir(folder)).toSorted().filter((file) => !known.has(file))) {
      await client.query(await readFile(new URL(name, folder), 'utf8'));
      await client.query('INSERT INTO migrations VALUES ($1)', [name]);
      applied.push(name);
    }
    await client.query('COMMIT');
    return applied;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  const applied = await migrate(client).finally(() => client.end());
  console.log(applied.length > 0 ? `applied ${applied.join(', ')}` : 'nothing to apply');
}
