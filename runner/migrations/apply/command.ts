/** What the user's command gets. */
export interface CommandRun {
  /** Address of the database, with an account that is bound by the limits. */
  readonly url: string;
  /** `DATABASE_URL`, `PGHOST` and the other variables of libpq. */
  readonly env: Readonly<Record<string, string>>;
  /** The command has to end when this is aborted; its sessions are ended meanwhile. */
  readonly signal: AbortSignal;
}

export interface CommandEnd {
  readonly exitCode: number;
  /** What it wrote, or the end of it; it is searched for SQLSTATE 55P03 and what the server says with it. */
  readonly output: string;
}

/** Runs the migration tool once. It rejects only when the command could not be run. */
export type RunCommand = (run: CommandRun) => Promise<CommandEnd>;
