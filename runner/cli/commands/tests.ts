import { Option } from 'commander';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { positive } from '../positive.ts';
import { resolveStep } from '../resolve-step.ts';
import { selectTests } from '../test-results.ts';
import { testLines } from '../view/test-lines.ts';
import { wholeReport } from '../../results/report/whole-run.ts';

interface TestsOptions {
  readonly all?: boolean;
  readonly flaky?: boolean;
  readonly slowest?: number;
  readonly step?: string;
}

export const defineTests: Define = (command) => {
  command
    .argument('[run]', 'id, its beginning, or `latest`', 'latest')
    .option('--step <step>', 'only of this step')
    .addOption(new Option('--all', 'list every test, not only red ones').conflicts(['flaky', 'slowest']))
    .addOption(new Option('--flaky', 'list those that passed after a failed try').conflicts('slowest'))
    .option('--slowest <number>', 'list so many of the slowest', positive);
  return async (session) => {
    const services = await session.services();
    const { all, flaky, slowest, step } = command.opts<TestsOptions>();
    const state = await services.engine.state(await services.store.resolve(command.args[0] ?? 'latest'));
    const report = await wholeReport(state.runId, services);
    const tests = await selectTests(
      report,
      {
        show: all ? 'all' : flaky ? 'flaky' : 'red',
        ...(slowest === undefined ? {} : { slowest }),
        ...(step === undefined ? {} : { step: resolveStep(state, step) }),
      },
      services,
    );
    if (session.json) session.printJson({ runId: report.runId, totals: report.tests ?? noTests, tests });
    else if (!report.tests)
      session.note(`Run ${report.runId} has no test reports. A step gets them with: junit: reports/*.xml`);
    else session.print(testLines(tests, report.tests, session.palette).join('\n'));
    return exitCodes.succeeded;
  };
};

const noTests = { tests: 0, failures: 0, errors: 0, skipped: 0, flaky: 0 };
