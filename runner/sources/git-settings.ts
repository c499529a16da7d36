import type { Repository } from './find-repository.ts';
import type { Git } from './git-command.ts';

export interface GitSetting {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

export interface GitSettings {
  /** URLs of the remotes, `origin` first. */
  readonly remotes: readonly string[];
  /** What says how files on disk are to be read; none of it can start a program. */
  readonly reading: readonly GitSetting[];
}

const reading = [
  'core.autocrlf',
  'core.checkstat',
  'core.eol',
  'core.excludesfile',
  'core.filemode',
  'core.ignorecase',
  'core.precomposeunicode',
  'core.repositoryformatversion',
  'core.symlinks',
  'core.trustctime',
  'extensions.objectformat',
];

/** The settings of a repository that matter here, its user's own included. */
export async function readSettings(git: Git, { gitFolder }: Repository): Promise<GitSettings> {
  const pattern = `^(${reading.join('|').replaceAll('.', '\\.')}|remote\\..*\\.url)$`;
  const { output } = await git.ask({ gitFolder }, ['config', '--null', '--get-regexp', pattern]);
  const pairs = output.toString().split('\0').filter(Boolean).map(splitPair);
  const remotes = pairs.filter(([key]) => key.startsWith('remote.'));
  const origin = remotes.filter(([key]) => key === 'remote.origin.url');
  return {
    remotes: [...origin, ...remotes].map(([, value]) => value),
    reading: pairs.filter(([key]) => !key.startsWith('remote.')).map(settingOf),
  };
}

/** "key\nvalue"; a key alone stands for true. */
function splitPair(text: string): readonly [key: string, value: string] {
  const end = text.indexOf('\n');
  return end === -1 ? [text, 'true'] : [text.slice(0, end), text.slice(end + 1)];
}

function settingOf([key, value]: readonly [string, string]): GitSetting {
  const dot = key.indexOf('.');
  return { section: key.slice(0, dot), name: key.slice(dot + 1), value };
}
