import type { Checked } from '../model/problem.ts';
import type { Logger } from '../model/logger.ts';
import { SluiceError } from '../model/errors.ts';
import type { Engine, PreparedRun, RerunScope } from './engine.ts';

interface DirectRunsOptions {
  readonly engine: Engine;
  /** Folder of a repository by its name. */
  readonly locationOf: (repository: string) => Promise<string | undefined>;
  readonly logger: Logger;
}

export interface DirectRuns {
  request(wish: {
    readonly repository: string;
    readonly commit: string;
    readonly file: string;
    readonly actor: string;
  }): Promise<Checked<string> | undefined>;
  rerun(runId: string, scope: RerunScope): Promise<string>;
  /** Ends what is under way, cleanly. Safe to call twice. */
  close(): Promise<void>;
}

/** Runs that this process drives itself, at once. */
export function createDirectRuns({ engine, locationOf, logger }: DirectRunsOptions): DirectRuns {
  const stop = new AbortController();
  const driven = new Set<Promise<void>>();
  const observer = { event: () => undefined, log: () => undefined };
  const drive = async (runId: string): Promise<void> => {
    try {
      await engine.drive(runId, observer, stop.signal);
    } catch (error) {
      logger.error('a run could not be driven to its end', { runId, error });
    }
  };
  const go = (runId: string): string => {
    const driving = drive(runId).finally(() => driven.delete(driving));
    driven.add(driving);
    return runId;
  };
  return {
    request: async ({ repository, ...options }) => {
      const location = await locationOf(repository);
      if (location === undefined) return undefined;
      const prepared = await engine.prepare({ location, ...options, event: 'manual' });
      return prepared.ok ? { ok: true, value: go(await engine.start(named(prepared.value, repository))) } : prepared;
    },
    rerun: async (runId, scope) => go(await engine.rerun(runId, scope)),
    close: async () => {
      stop.abort(new SluiceError('ERR_ABORTED', 'The server ends.'));
      await Promise.all(driven);
    },
  };
}

/** A server knows repositories by names of its own, not by their folders. */
function named(prepared: PreparedRun, repository: string): PreparedRun {
  return { ...prepared, request: { ...prepared.request, repository } };
}
