/** The ref of a trigger in its three forms; `branch` and `tag` are '' unless it is one. */
export interface NamedRef {
  readonly ref: string;
  readonly branch: string;
  readonly tag: string;
}

export function branchRef(branch: string): NamedRef {
  return { ref: `refs/heads/${branch}`, branch, tag: '' };
}

export function tagRef(tag: string): NamedRef {
  return { ref: `refs/tags/${tag}`, branch: '', tag };
}

/** Undefined for notes, changes and other refs that are neither branch nor tag. */
export function readFullRef(ref: string): NamedRef | undefined {
  const [, kind, name = ''] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
  if (kind === undefined) return undefined;
  return kind === 'heads' ? branchRef(name) : tagRef(name);
}

/** The same for any ref: one that is neither branch nor tag has only its full name. */
export function readAnyRef(ref: string): NamedRef {
  return readFullRef(ref) ?? { ref, branch: '', tag: '' };
}

/** Whether Git would accept the name (git-check-ref-format), and no program would take it for an option. */
export function isRefName(name: string): boolean {
  const forbidden = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\/\.|\.lock(?:\/|$)/;
  return name !== '' && name !== '@' && !forbidden.test(name);
}

/** Git's way to say that there is nothing. */
export function isNoCommit(commit: string): boolean {
  return /^0+$/.test(commit);
}
