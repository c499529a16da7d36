export interface PostgresAccount {
  readonly user: string;
  /** Undefined: any password is taken. */
  readonly password: string | undefined;
  readonly database: string;
  /** More options for `initdb`. */
  readonly options: readonly string[];
}

/** The account that the variables of the official image ask for. */
export function accountOf(env: Readonly<Record<string, string>>): PostgresAccount {
  const user = env['POSTGRES_USER'] ?? 'postgres';
  return {
    user,
    password: env['POSTGRES_PASSWORD'],
    database: env['POSTGRES_DB'] ?? user,
    options: env['POSTGRES_INITDB_ARGS']?.split(/\s+/).filter((option) => option !== '') ?? [],
  };
}

export function postgresUrl({ user, password, database }: PostgresAccount, port: number): string {
  const secret = password === undefined ? '' : `:${encodeURIComponent(password)}`;
  return `postgres://${encodeURIComponent(user)}${secret}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}
