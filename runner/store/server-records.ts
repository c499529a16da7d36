import type { StoredEvent } from '../model/run-event.ts';
import type { AttemptKey, TestCase } from '../model/result.ts';

/** Who may ask the API. The secret itself is nowhere, only its sha256. */
export interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** Undefined for all repositories. */
  readonly repositories?: readonly string[];
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
}

/** One deed that was asked for. `hash` covers the entry and the hash before it, so that none can be changed or taken away. */
export interface AuditEntry {
  readonly position: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  /** What it was done to: the address of the request. */
  readonly object: string;
  readonly requestId: string;
  readonly hash: string;
}

/** An answer that is given again when the same request comes again. Without a status it is not known yet. */
export interface KeptAnswer {
  readonly fingerprint: string;
  readonly status?: number;
  /** Absent when the answer held a secret. */
  readonly body?: string;
}

/** An event with its place among the events of all runs. */
export interface FeedEntry {
  readonly position: number;
  readonly runId: string;
  readonly repository: string;
  readonly event: StoredEvent;
}

/** A test case through all runs. The same name in another step or cell of a matrix is another case. */
export interface KnownCase extends Pick<TestCase, 'suites' | 'className' | 'name' | 'file'> {
  readonly caseId: string;
  readonly repository: string;
  readonly step: string;
}

export interface CaseResult extends AttemptKey, Pick<TestCase, 'outcome' | 'flaky' | 'durationMs'> {
  readonly caseId: string;
  readonly commit: string;
  /** When the run began. */
  readonly at: number;
  /** Continues behind this result. */
  readonly cursor: string;
}

/** What a server keeps beside its runs. Part of the contract suite of the store. */
export interface ServerRecords {
  /** ERR_CONFLICT when the id is taken. */
  addToken(token: Token, sha256: string): Promise<void>;
  /** Revoked and expired ones too. */
  findToken(sha256: string): Promise<Token | undefined>;
  /** Newest first. */
  tokens(filter: { readonly after?: string; readonly limit: number }): Promise<readonly Token[]>;
  /** Revoking twice changes nothing. ERR_NOT_FOUND. */
  revokeToken(id: string, at: number): Promise<Token>;

  addAudit(entry: Pick<AuditEntry, 'at' | 'actor' | 'action' | 'object' | 'requestId'>): Promise<void>;
  /** Oldest first, behind a position. */
  audit(after: number, limit: number): Promise<readonly AuditEntry[]>;

  /** Takes a key for a request; answers what is kept when it was taken before. Keys are free again after a day. */
  takeAnswer(subject: string, key: string, fingerprint: string): Promise<KeptAnswer | undefined>;
  keepAnswer(subject: string, key: string, answer: { readonly status: number; readonly body?: string }): Promise<void>;
  /** Frees a key whose request changed nothing. */
  dropAnswer(subject: string, key: string): Promise<void>;

  /** Events of all runs behind a position, in the order of their commits. */
  feed(after: number, limit: number): Promise<readonly FeedEntry[]>;
  /** The position of the newest event, 0 without any. */
  feedEnd(): Promise<number>;

  knownCase(caseId: string): Promise<KnownCase | undefined>;
  /** By id; of one repository. */
  knownCases(filter: {
    readonly repository: string;
    readonly name?: string;
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly KnownCase[]>;
  /** Newest first. */
  caseResults(
    caseId: string,
    filter: { readonly before?: number; readonly after?: string; readonly limit: number },
  ): Promise<readonly CaseResult[]>;
  /** Cases of a repository with the most red or flaky results since a time; those first. */
  troubledCases(repository: string, since: number, limit: number): Promise<readonly KnownCase[]>;
}
