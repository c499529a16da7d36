/** One result of a TAP stream, with its YAML block as text. */
export interface TapResult {
  /** The test file without its ending, `store/sql/migrate`; '' for what belongs to none. */
  readonly suite: string;
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly details: string;
}

/** How many results have this outcome. */
export function countOf(results: readonly TapResult[], outcome: TapResult['outcome']): number {
  return results.filter((result) => result.outcome === outcome).length;
}

const result = /^(ok|not ok) \d+ - (.*?)(?: # (SKIP|TODO))?$/;

/** Results as ava writes them with `--tap`, each once its details are complete. */
export async function* readTap(lines: AsyncIterable<string>): AsyncGenerator<TapResult> {
  let current: TapResult | undefined;
  for await (const line of lines) {
    const match = result.exec(line);
    if (match) {
      if (current) yield current;
      current = resultOf(match);
    } else if (current && line.startsWith('  ')) {
      current = { ...current, details: `${current.details}${line.slice(2)}\n` };
    }
  }
  if (current) yield current;
}

function resultOf([, word, name = '', directive]: RegExpExecArray): TapResult {
  const [title = '', ...folders] = name.split(' › ').reverse();
  const outcome = directive ? 'skipped' : word === 'ok' ? 'passed' : 'failed';
  return { suite: folders.reverse().join('/'), title, outcome, details: '' };
}
