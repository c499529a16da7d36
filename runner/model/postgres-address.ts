/**
 * An address of PostgreSQL as node-postgres has to be given it for `sslmode` to mean what it means to libpq, and so to `pg_dump` and most drivers: `require` encrypts and
 * asks for no authority, `verify-full` does. By itself it takes every mode for `verify-full`. Source: PostgreSQL, libpq-ssl, "SSL Mode Descriptions".
 */
export function libpqLike(url: string): string {
  const address = new URL(url);
  if (address.searchParams.has('sslmode')) address.searchParams.set('uselibpqcompat', 'true');
  return address.href;
}
