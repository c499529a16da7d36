import type { Readable } from 'node:stream';

export interface SourceFile {
  readonly path: string;
  /** Git object id of the content. */
  readonly oid: string;
  readonly mode: '100644' | '100755' | '120000';
}

/** The files of one commit, or of a working tree as it is now. Read-only, and the same for its whole life. */
export interface Source {
  /** Name people know the repository by. */
  readonly repository: string;
  readonly commit: string;
  /** Full ref or ''. */
  readonly ref: string;
  readonly branch: string;
  readonly tag: string;
  readonly dirty: boolean;
  /** All regular files and links, sorted by path. */
  readonly files: readonly SourceFile[];
  /** Content of a regular file; undefined when there is none at this path, ERR_LIMIT above `maxBytes`. Links are not followed. */
  read(path: string, maxBytes: number): Promise<string | undefined>;
  /** Deterministic tar of all files: the same tree gives the same bytes. */
  tar(): Readable;
}

/** Opens commits of a repository. Rejects with ERR_SOURCE, naming the repository and the next step. */
export interface Sources {
  /** `commit` undefined: the working tree with its uncommitted changes, ignored files left out. */
  open(location: string, commit?: string): Promise<Source>;
}
