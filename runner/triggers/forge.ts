import type { TriggerEvent } from '../model/run-request.ts';

export type ForgeName = 'github' | 'gitlab' | 'gitea' | 'bitbucket';

/** As Node gives them: names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** `reason` is for our log and the delivery's page, never for the sender. */
export type Verification = { readonly genuine: true } | { readonly genuine: false; readonly reason: string };

/** A change of code that a forge announced; `actor` is the name of `sender`. */
export interface Trigger extends TriggerEvent {
  readonly event: 'push' | 'pull_request';
  /** A full object id; of a pull request on Bitbucket Cloud its first twelve digits, which whoever fetches it completes. */
  readonly commit: string;
  /** What the ref was before; '' when it is new, and for pull requests. */
  readonly before: string;
  /** Who pushed, as the forge authenticated them (never the author of a commit). `id` is '' when it names nobody. */
  readonly sender: { readonly id: string; readonly name: string };
  readonly repository: ForgeRepository;
  readonly pullRequest?: PullRequest;
  /** First line of the commit message, or the pull request's title; for people. */
  readonly title: string;
}

export interface ForgeRepository {
  /** The forge's own id, which survives renames: a number, for Bitbucket Cloud a UUID in braces. */
  readonly id: string;
  readonly fullName: string;
  /** Over HTTP; '' when the forge does not say. */
  readonly cloneUrl: string;
  readonly htmlUrl: string;
}

export interface PullRequest {
  readonly number: number;
  /** Branch that it wants into. */
  readonly base: string;
  /** '' when the forge does not say. */
  readonly baseSha: string;
  /** Its head is in another repository, or nobody knows in which: decided by ids, never by names. */
  readonly fork: boolean;
  /** Who opened it may not write to the repository, as far as the forge says, or nobody knows who sent it. */
  readonly outsider?: true;
  /** '' when that repository is gone or not named. */
  readonly headRepositoryId: string;
}

/** What starts no run. */
export interface Ignored {
  readonly reason: string;
  /** A branch was deleted, or the pull request with that number was closed: what was made for it is not needed any more. */
  readonly ends?: { readonly pullRequest?: number };
}

/** `deliveryId` stays the same when a forge repeats a delivery. */
export type Delivery = { readonly deliveryId: string } & (
  | ({ readonly kind: 'ignored' } & Ignored)
  /** `message` says what is wrong with which field. */
  | { readonly kind: 'malformed'; readonly message: string }
  /** At least one; Bitbucket announces several refs at once. */
  | { readonly kind: 'triggers'; readonly triggers: readonly Trigger[] }
);

/**
 * Webhooks of one kind of forge, as pure functions. First `verify`, with the secret of the repository whose URL was
 * called; only what is genuine is given to `read`; and only a trigger whose `repository.id` is that repository's counts.
 */
export interface Forge {
  /**
   * Whether somebody who knows `secret` sent exactly these bytes, compared in constant time. An empty or absent secret,
   * a SHA-1 signature and (where the forge signs the time) one more than five minutes off `now`, in ms, are refused.
   */
  verify(headers: Headers, body: Buffer, secret: string | undefined, now: number): Verification;
  /** What a delivery says. Never throws, whatever the bytes. */
  read(headers: Headers, body: Buffer): Delivery;
}
