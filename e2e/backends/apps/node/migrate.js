/** Applies the files of `schema/` that were not applied yet, in the order of their names, all or nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query('BEGIN');
await client.query(
  'CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())',
);
const { rows } = await client.query('SELECT name FROM migrations');
const applied = new Set(rows.map(({ name }) => name));
for (const name of readdirSync('schema').toSorted()) {
  if (applied.has(name)) continue;
  await client.query(readFileSync(`schema/${name}`, 'utf8'));
  await client.query('INSERT INTO migrations (name) VALUES ($1)', [name]);
  console.log(`applied ${name}`);
}
await client.query('COMMIT');
await client.end();
