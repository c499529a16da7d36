import { databaseOf, parseUrl } from './connection.ts';

/** An address as the variables of libpq, so that no password stands among arguments. */
export function libpqVariables(url: string): Readonly<Record<string, string>> {
  const { hostname, port, username, password, searchParams } = parseUrl(url);
  const mode = searchParams.get('sslmode');
  return {
    PGHOST: searchParams.get('host') ?? hostname.replace(/^\[|\]$/g, ''),
    PGPORT: port === '' ? '5432' : port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: databaseOf(url),
    ...(mode !== null && { PGSSLMODE: mode }),
  };
}

/** The same, and `DATABASE_URL`, which is what most migration tools read. */
export function clientVariables(url: string): Readonly<Record<string, string>> {
  return { DATABASE_URL: url, ...libpqVariables(url) };
}
