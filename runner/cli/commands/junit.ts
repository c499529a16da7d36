import { resolve } from 'node:path';
import { describeJUnitFile } from '../../results/junit/describe-file.ts';
import type { JUnitDescription } from '../../results/junit/describe-file.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { junitLines } from '../view/junit-lines.ts';

export const defineJunit: Define = (command) => {
  command.argument('<files...>', 'JUnit reports');
  return async (session) => {
    let allGreen = true;
    for (const file of command.args) {
      const description = { ...(await describeJUnitFile(resolve(session.folder, file))), file };
      allGreen &&= isGreen(description);
      if (session.json) session.printJson(publicForm(description));
      else session.print(junitLines(description, session.palette).join('\n'));
    }
    return allGreen ? exitCodes.succeeded : exitCodes.failed;
  };
};

/** As a step takes it: a report without a test proves nothing. */
function isGreen({ verdict, failures, errors }: JUnitDescription): boolean {
  return verdict === 'parse' && failures + errors === 0;
}

/** Exactly these names. */
function publicForm(description: JUnitDescription): Omit<JUnitDescription, 'fault'> {
  const { file, verdict, tests, failures, errors, skipped, mismatch } = description;
  return { file, verdict, tests, failures, errors, skipped, mismatch };
}
