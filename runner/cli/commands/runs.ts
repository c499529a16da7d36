import { Option } from 'commander';
import type { Outcome } from '../../model/outcome.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { positive } from '../positive.ts';
import { runRows } from '../view/run-rows.ts';
import { widthFor } from '../print-run.ts';

const outcomes: readonly Outcome[] = ['succeeded', 'failed', 'errored', 'cancelled', 'skipped'];

interface RunsOptions {
  readonly limit: number;
  readonly repository?: string;
  readonly branch?: string;
  readonly outcome?: Outcome;
  readonly after?: string;
}

export const defineRuns: Define = (command) => {
  command
    .option('-n, --limit <number>', 'how many', positive, 20)
    .option('--repository <name>', 'only of this repository')
    .option('--branch <name>', 'only of this branch')
    .addOption(new Option('--outcome <outcome>', 'only with this outcome').choices(outcomes))
    .option('--after <run>', 'continue behind this run');
  return async (session) => {
    const { after, ...filter } = command.opts<RunsOptions>();
    const { store } = await session.services();
    const runs = await store.runs(after === undefined ? filter : { ...filter, after: await store.resolve(after) });
    if (session.json) session.printJson({ runs });
    else if (runs.length === 0) session.note(nothing(command.opts<RunsOptions>()));
    else
      session.print(
        runRows(runs, { columns: widthFor(session.io.stdout), now: Date.now(), palette: session.palette }).join('\n'),
      );
    return exitCodes.succeeded;
  };
};

function nothing({ repository, branch, outcome, after }: RunsOptions): string {
  const isFiltered = [repository, branch, outcome, after].some((filter) => filter !== undefined);
  return isFiltered ? 'No run fits. All of them: sluice runs' : 'No run yet. Start one with: sluice run';
}
