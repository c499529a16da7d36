import { availableParallelism, userInfo } from 'node:os';
import envPaths from 'env-paths';

/** What the machine says of itself, so that everything behind it is pure. */
export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly processors: number;
  readonly user: string;
  /** Where programs of this user keep their data. */
  readonly dataFolder: string;
}

export function readEnvironment(): Environment {
  return {
    variables: { ...process.env },
    processors: availableParallelism(),
    user: userName(),
    dataFolder: envPaths('sluice', { suffix: '' }).data,
  };
}

/** A user id without an entry in the password file, as in many containers, has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
