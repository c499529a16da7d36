import { Argument, Option } from 'commander';
import type { Classification } from '../../migrations/classify/classify.ts';
import { publicProblem } from '../../model/problem.ts';
import type { Define } from '../define.ts';
import { exitCodes } from '../exit-code.ts';
import { lintMigrations } from '../lint-migrations.ts';
import { printProblems } from '../print-problems.ts';
import type { Session } from '../session.ts';
import { harmless } from '../terminal/text.ts';

interface MigrateOptions {
  readonly phase: 'expand' | 'contract';
  readonly tool?: string;
}

export const defineMigrate: Define = (command) => {
  command
    .addArgument(new Argument('<action>', 'lint: judge SQL by what it asks of live code').choices(['lint']))
    .argument('[files...]', 'SQL files of one release, in their order (default: all of the migration tool)')
    .addOption(
      new Option('--phase <phase>', 'what the release may do: add only, or take away what nobody uses any more')
        .choices(['expand', 'contract'])
        .default('expand'),
    )
    .option('--tool <name>', 'the migration tool, where it is not found by itself');
  return async (session) => {
    const today = new Date().toISOString().slice(0, 10);
    const files = command.args.slice(1);
    const results = await lintMigrations(session.folder, files, { today, ...command.opts<MigrateOptions>() });
    print(results, session);
    // What a file of the same release makes is new, so that next to nothing can be said against what follows it.
    if (files.length === 0 && results.length > 1)
      session.note(
        `These ${results.length} files were judged as one release. Name those that are new to have them judged against what is live.`,
      );
    return results.every(({ verdict }) => verdict === 'accepted') ? exitCodes.succeeded : exitCodes.failed;
  };
};

function print(results: readonly Classification[], session: Session): void {
  const problems = results.flatMap((result) => result.problems);
  if (session.json) {
    const files = results.map(({ file, class: name, verdict }) => ({ file, class: name, verdict }));
    session.printJson({ files, problems: problems.map(publicProblem) });
    return;
  }
  if (problems.length > 0) printProblems(problems, session);
  for (const result of results) session.print(line(result, session));
}

function line({ file, class: name, verdict }: Classification, { palette }: Session): string {
  const mark = verdict === 'accepted' ? palette.good('✓') : palette.bad('✗');
  return `${mark} ${name.padEnd('contract'.length)}  ${harmless(file, false)}`;
}
