import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../model/clock.ts';
import { adviceOf, messageOf } from '../model/errors.ts';
import type { Logger } from '../model/logger.ts';
import { isExpired } from './previews.ts';
import type { OwnedPreview, PreviewPlace } from './previews.ts';

/** What is known of the repository of a preview. */
export interface Knowledge {
  /** Undefined where nobody can say which there are. */
  readonly branches: ReadonlySet<string> | undefined;
  /** When its pull request was closed, ms; undefined where nobody told. */
  readonly closedAt: number | undefined;
  /** Whether its pull request is closed, by the word of the forge; undefined where that does not say. */
  readonly isClosed: boolean | undefined;
  readonly now: number;
}

export interface Fate {
  readonly why: string;
  /** Nobody told that it could go: its last event was lost, or it was forgotten. */
  readonly leaked: boolean;
}

/** Why a preview has to go; undefined while it may stay. A pull request that was opened again has had a run since it was closed. */
export function fateOf(preview: OwnedPreview, { branches, closedAt, isClosed, now }: Knowledge): Fate | undefined {
  if (preview.leaving === true) return { why: 'its removal was not brought to an end', leaked: false };
  if (closedAt !== undefined && closedAt >= preview.usedAt)
    return { why: 'its pull request was closed', leaked: false };
  if (branches !== undefined && !branches.has(preview.branch)) return { why: 'its branch is gone', leaked: true };
  if (isClosed === true) return { why: 'its pull request is closed', leaked: true };
  return isExpired(preview, now) ? { why: 'its time is over', leaked: true } : undefined;
}

export interface PreviewSweeperOptions {
  readonly place: PreviewPlace;
  /** Branches that a repository has now; undefined for one that nobody knows here. */
  readonly branchesOf: (repository: string) => Promise<ReadonlySet<string> | undefined>;
  /** Whether a pull request is closed; undefined where nobody can say. */
  readonly isClosed: (repository: string, pullRequest: number) => Promise<boolean | undefined>;
  /** Whether a run is under way in it. */
  readonly isBusy: (preview: OwnedPreview) => Promise<boolean>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Removes previews that nobody needs any more. Level-based: each round compares those that are there with the branches and pull requests that their repositories
 * have, and with their time; events only bring the next round forward (delivery.md §2, row 20).
 */
export class PreviewSweeper {
  readonly #options: PreviewSweeperOptions;
  /** Pull requests that were closed, by repository and number, with the time. */
  readonly #closed = new Map<string, number>();
  #wake = Promise.withResolvers<undefined>();

  constructor(options: PreviewSweeperOptions) {
    this.#options = options;
  }

  /** A branch of the repository was deleted, or the pull request with that number was closed. */
  ended(repository: string, pullRequest: number | undefined): void {
    if (pullRequest !== undefined) this.#closed.set(keyOf(repository, pullRequest), this.#options.clock());
    this.#wake.resolve(undefined);
  }

  /** Rounds until the signal comes and the last one has ended. Rejects never. */
  async run(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      await this.round().catch((error: unknown) => {
        this.#options.logger.warn('previews could not be looked at', { error: messageOf(error) });
      });
      const pause = new AbortController();
      const both = AbortSignal.any([signal, pause.signal]);
      await Promise.race([this.#wake.promise, sleep(everyMs, undefined, { signal: both }).catch(() => undefined)]);
      pause.abort();
    }
  }

  /** One look at all previews. Those of one backend go one after the other, and hold up those of no other. */
  async round(): Promise<void> {
    const { place, logger } = this.#options;
    const previews = await place.list(undefined, (backend, error) => {
      logger.warn('the previews of a backend could not be looked at', { backend, error: adviceOf(error) });
    });
    const branches = new Map<string, ReadonlySet<string> | undefined>();
    for (const repository of new Set(previews.map((preview) => preview.repository)))
      branches.set(repository, await this.#branchesOf(repository));
    const ofBackends = [...Map.groupBy(previews, ({ backend }) => backend).values()];
    await Promise.all(
      ofBackends.map(async (ofOne) => {
        for (const preview of ofOne) await this.#judgeOrTell(preview, branches.get(preview.repository));
      }),
    );
  }

  async #judgeOrTell(preview: OwnedPreview, branches: ReadonlySet<string> | undefined): Promise<void> {
    const { backend, environment } = preview;
    await this.#judge(preview, branches).catch((error: unknown) => {
      this.#options.logger.warn('a preview could not be removed', { backend, environment, error: adviceOf(error) });
    });
  }

  async #judge(preview: OwnedPreview, branches: ReadonlySet<string> | undefined): Promise<void> {
    const { place, clock, logger, isBusy } = this.#options;
    const { backend, environment, repository, branch, pullRequest } = preview;
    const closedAt = pullRequest === undefined ? undefined : this.#closed.get(keyOf(repository, pullRequest));
    const isClosed = pullRequest === undefined ? undefined : await this.#isClosed(repository, pullRequest);
    const fate = fateOf(preview, { branches, closedAt, isClosed, now: clock() });
    if (fate === undefined || (await isBusy(preview)) || !(await place.remove(preview))) return;
    if (pullRequest !== undefined) this.#closed.delete(keyOf(repository, pullRequest));
    const tell = fate.leaked ? logger.warn.bind(logger) : logger.info.bind(logger);
    tell('a preview was removed', { backend, environment, branch, why: fate.why });
  }

  async #isClosed(repository: string, pullRequest: number): Promise<boolean | undefined> {
    try {
      return await this.#options.isClosed(repository, pullRequest);
    } catch (error) {
      this.#options.logger.warn('the pull request of a preview is not known', { repository, error: messageOf(error) });
      return undefined;
    }
  }

  /** A forge that does not answer keeps nobody's time from being over. */
  async #branchesOf(repository: string): Promise<ReadonlySet<string> | undefined> {
    try {
      return await this.#options.branchesOf(repository);
    } catch (error) {
      this.#options.logger.warn('the branches of previews are not known', { repository, error: messageOf(error) });
      return undefined;
    }
  }
}

function keyOf(repository: string, pullRequest: number): string {
  return `${repository} ${pullRequest}`;
}
