import type { TestCase } from '../model/result.ts';

export interface Flakiness {
  /** Share of the commits at which the case was both green and red, or green only after a red try. */
  readonly score: number;
  readonly commits: number;
  readonly flakyCommits: number;
}

type Result = Pick<TestCase, 'outcome' | 'flaky'> & { readonly commit: string };

/** How often a case changed its mind about the same code. Skipped results say nothing. */
export function flakinessOf(results: readonly Result[]): Flakiness {
  const commits = new Map<string, { green: boolean; red: boolean }>();
  for (const { commit, outcome, flaky } of results) {
    if (outcome === 'skipped') continue;
    const seen = commits.get(commit) ?? { green: false, red: false };
    const green = outcome === 'passed';
    commits.set(commit, { green: seen.green || green, red: seen.red || !green || flaky });
  }
  const flakyCommits = [...commits.values()].filter(({ green, red }) => green && red).length;
  return { score: commits.size === 0 ? 0 : flakyCommits / commits.size, commits: commits.size, flakyCommits };
}
